"""The embedded AWS account: one object that serves it over HTTP, counts calls and takes orders for failures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import ClassVar, Final

from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from aws_finops_mcp.demo import billed, company
from aws_finops_mcp.demo.answers import table
from aws_finops_mcp.demo.answers.company import Company
from aws_finops_mcp.demo.double.app import Double, Handler
from aws_finops_mcp.demo.double.athena import Athena
from aws_finops_mcp.demo.double.authorisation import Authorisation
from aws_finops_mcp.demo.double.calls import CallCounter
from aws_finops_mcp.demo.double.cloudwatch import Metrics
from aws_finops_mcp.demo.double.cost_explorer import CostExplorer
from aws_finops_mcp.demo.double.credentials import Credentials
from aws_finops_mcp.demo.double.faults import Faults
from aws_finops_mcp.demo.double.http import HttpServer
from aws_finops_mcp.demo.double.log_groups import describe_log_groups, list_log_groups
from aws_finops_mcp.demo.double.metrics import MetricStore
from aws_finops_mcp.demo.double.price_list import PriceList
from aws_finops_mcp.demo.double.provisioned_concurrency import ProvisionedConcurrency
from aws_finops_mcp.demo.double.remembered import Remembered
from aws_finops_mcp.demo.double.request import warm_up
from aws_finops_mcp.demo.double.streams import list_streams
from aws_finops_mcp.demo.double.sts import Sts
from aws_finops_mcp.demo.estate.declared import Estate, Organisation
from aws_finops_mcp.demo.estate.operations import OPERATIONS
from aws_finops_mcp.demo.estate.organizations import Organizations
from aws_finops_mcp.demo.estate.served import Estates
from aws_finops_mcp.demo.families.family import Case
from aws_finops_mcp.demo.families.served import ServedFamilies
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, ACCOUNT_NAME, US

# Looks like a key of AWS's documentation; it opens nothing.
_ACCESS_KEY: Final = "AKIASIMULATEDACCOUNT"
_EVERYWHERE: Final = frozenset({"", "0.0.0.0"})
_SECRET_KEY: Final = "simulated-secret-that-opens-nothing"


class EmbeddedAccount:
    """``with EmbeddedAccount() as account:`` and point boto3 at ``account.environment``.

    moto keeps its state per process, so one account runs at a time; each start is a clean one.

    ``organisation`` adds member accounts behind AssumeRole. ``estate`` fills the account's first region with so many
    made-up resources instead of the fictional company.
    """

    _running: ClassVar[EmbeddedAccount | None] = None

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 7,
        seeded: bool = True,
        organisation: Organisation | None = None,
        estate: Estate | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self.seed = seed
        self.seeded = seeded and estate is None
        self.organisation = organisation
        self.estate = estate
        self.account_id = ACCOUNT_ID
        self.calls = CallCounter()
        self.faults = Faults()
        # Empty: tests and the demo give it tables and workgroups.
        self.athena = Athena()
        self.metrics = MetricStore()
        self.credentials = Credentials(ACCOUNT_ID)
        # Names to ids of what was seeded.
        self.ids: dict[str, str] = {}
        # The truth about what was seeded, by check.
        self.cases: Mapping[str, tuple[Case, ...]] = {}
        self.cost_explorer: CostExplorer
        # For who asks the same very often: `with account.remembered.remembering():`
        self.remembered: Remembered
        # Made-up resources and the truth about them, by account and region.
        self.estates: Estates
        self._server: HttpServer | None = None

    @property
    def url(self) -> str:
        if self._server is None:
            raise RuntimeError("The embedded account is not started.")
        host = "127.0.0.1" if self._host in _EVERYWHERE else self._host
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self._server.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to use this account, and no other by mistake."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": _ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": _SECRET_KEY,
            "AWS_REGION": US,
            "AWS_DEFAULT_REGION": US,
            "AWS_EC2_METADATA_DISABLED": "true",
            # A profile of the machine could name another account.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def start(self) -> EmbeddedAccount:
        """Listen, fill a clean account, and serve it; an OSError says that the port is not to be had."""
        if EmbeddedAccount._running is not None:
            raise RuntimeError("An embedded account runs in this process already.")
        if not self.seeded:
            # For those who make their own; hundreds of modules of moto's.
            from aws_finops_mcp.demo.double import stack_resources  # noqa: F401
        provisioned = ProvisionedConcurrency()
        now = datetime.now(UTC)
        bills = billed.bills_of(self.seed, now) if self.seeded else billed.no_bills()
        self.cost_explorer = CostExplorer(bills)
        self.estates = Estates(now)
        answers = table.operations(Company(bills, lambda: self.ids, self.seeded))
        families = ServedFamilies(now, None if self.seeded else ())
        handlers = {**answers, **self._handlers(provisioned), **families.operations}
        backend = DomainDispatcherApplication(create_backend_app)
        app = Double(
            backend,
            handlers,
            self.calls,
            self.faults,
            self.credentials,
            self.estates.answer,
            families,
            Authorisation(self.credentials, self.athena).check,
        )
        self.remembered = app.remembered
        server = HttpServer(self._host, self._port, app)
        try:
            self._forget()
            self._populate()
            self.ids = company.fill(self.seed, now, self.metrics, provisioned) if self.seeded else {}
            families.define(self.metrics)
            self.cases = families.cases
        except BaseException:
            server.close()
            raise
        if self.estate is not None or self.organisation is not None:
            # Measurements begin with the first request.
            warm_up({service for service, _ in {*OPERATIONS, *handlers}})
        server.start()
        self._server = server
        EmbeddedAccount._running = self
        return self

    def stop(self) -> None:
        """Hang up on everybody and forget everything; a stopped account may be started again."""
        if self._server is not None:
            self._server.stop()
            self._server = None
            EmbeddedAccount._running = None
            self._forget()

    def _populate(self) -> None:
        """Declare the accounts and resources that are made up when asked for."""
        self.metrics.elsewhere = self.estates.series
        if self.estate is not None:
            self.estates.add_estate(ACCOUNT_ID, US, self.estate, self.seed)
        if self.organisation is not None:
            self.estates.add_organisation(self.organisation)
            for account in self.organisation.account_ids:
                self.credentials.add_role(account, self.organisation.role, self.organisation.external_id)

    def _forget(self) -> None:
        moto_api_backend.reset()
        self.metrics.clear()
        self.calls.reset()
        self.credentials.clear()
        self.faults.clear()
        self.athena.clear()

    def __enter__(self) -> EmbeddedAccount:
        return self if self._server is not None else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _handlers(self, provisioned: ProvisionedConcurrency) -> dict[tuple[str, str], Handler]:
        metrics = Metrics(self.metrics)
        sts = Sts(self.credentials)
        handlers: dict[tuple[str, str], Handler] = {
            ("athena", "GetQueryExecution"): self.athena.get_query_execution,
            ("athena", "GetQueryResults"): self.athena.get_query_results,
            ("athena", "GetWorkGroup"): self.athena.get_work_group,
            ("athena", "StartQueryExecution"): self.athena.start_query_execution,
            ("athena", "StopQueryExecution"): self.athena.stop_query_execution,
            ("glue", "GetTable"): self.athena.get_table,
            ("ce", "GetCostAndUsage"): self.cost_explorer.get_cost_and_usage,
            ("cloudwatch", "GetMetricData"): metrics.get_metric_data,
            ("cloudwatch", "GetMetricStatistics"): metrics.get_metric_statistics,
            ("cloudwatch", "ListMetrics"): metrics.list_metrics,
            ("cloudwatch", "PutMetricData"): metrics.put_metric_data,
            ("kinesis", "ListStreams"): list_streams,
            ("lambda", "GetProvisionedConcurrencyConfig"): provisioned.get_configuration,
            ("lambda", "ListProvisionedConcurrencyConfigs"): provisioned.list_configurations,
            ("pricing", "GetProducts"): PriceList().get_products,
            ("logs", "DescribeLogGroups"): describe_log_groups,
            ("logs", "ListLogAnomalyDetectors"): lambda _: {"anomalyDetectors": []},  # where no family has any
            ("logs", "ListLogGroups"): list_log_groups,
            ("sts", "AssumeRole"): sts.assume_role,
            ("sts", "GetCallerIdentity"): sts.get_caller_identity,
        }
        if not self.seeded:
            from aws_finops_mcp.demo.double.instance_refreshes import InstanceRefreshes

            refreshes = InstanceRefreshes()
            handlers |= {
                ("autoscaling", "DescribeInstanceRefreshes"): refreshes.describe,
                ("autoscaling", "StartInstanceRefresh"): refreshes.start,
            }
        if self.organisation is not None:
            organizations = Organizations(self.organisation, ACCOUNT_ID, ACCOUNT_NAME)
            handlers |= {
                ("organizations", "DescribeAccount"): organizations.describe_account,
                ("organizations", "DescribeOrganization"): organizations.describe_organization,
                ("organizations", "ListAccounts"): organizations.list_accounts,
            }
        return handlers
