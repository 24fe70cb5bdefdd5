"""The double as a WSGI application: faults first, then our own operations, then moto, corrected and paged."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Protocol

from aws_finops_mcp.aws.reader import SIMULATED_HEADER
from aws_finops_mcp.demo.double.calls import CallCounter
from aws_finops_mcp.demo.double.corrections import CORRECTIONS
from aws_finops_mcp.demo.double.credentials import Credentials
from aws_finops_mcp.demo.double.effects import EFFECTS
from aws_finops_mcp.demo.double.errors import AwsError, internal_error, not_simulated
from aws_finops_mcp.demo.double.faults import ConnectionCutError, Faults
from aws_finops_mcp.demo.double.model_check import violations
from aws_finops_mcp.demo.double.paging import Pager, pagination_of
from aws_finops_mcp.demo.double.remembered import Remembered
from aws_finops_mcp.demo.double.request import Call, Environ, read_body, recognise
from aws_finops_mcp.demo.double.wire import Answer, WsgiApp, ask, parse, serialise, serialise_error

Handler = Callable[[Call], "dict[str, Any] | Answer | None"]
"""Answers a call; None leaves it to the backend."""


class Additions(Protocol):
    """Resources that are listed beside the backend's."""

    def adds(self, call: Call) -> bool: ...

    def add(self, call: Call, answer: dict[str, Any]) -> None: ...


log = logging.getLogger(__name__)


class Double:
    """Strict AWS in front of a lenient backend."""

    def __init__(
        self,
        backend: WsgiApp,
        handlers: dict[tuple[str, str], Handler],
        calls: CallCounter,
        faults: Faults,
        credentials: Credentials,
        quick: Callable[[Call], Answer | None] = lambda call: None,
        additions: Additions | None = None,
        authorise: Callable[[Call], None] = lambda call: None,
    ) -> None:
        """Requests that ``quick`` answers need neither handlers nor the backend; ``additions`` go into its lists."""
        self._additions = additions
        self._authorise = authorise
        self._backend = backend
        self._handlers = handlers
        self._calls = calls
        self._faults = faults
        self._credentials = credentials
        self._quick = quick
        self._pager = Pager()
        self.remembered = Remembered()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = read_body(environ)
        call = recognise(environ, body, self._credentials)
        if call is None:
            return _send(self._unrecognised(environ), start_response)
        asked = f"{environ.get('PATH_INFO')}?{environ.get('QUERY_STRING')} ".encode() + body
        with self._calls.counting(call.iam_action, call.region, call.account, asked):
            answer = self._answer(call, asked)
        return _send(answer, start_response)

    def _unrecognised(self, environ: Environ) -> Answer:
        """Unsigned requests, moto's own pages, and protocols that botocore does not speak."""
        try:
            return ask(self._backend, environ)
        except Exception:
            log.exception("the embedded account does not know %s", environ.get("PATH_INFO"))
            return Answer(501, b"The simulated account does not know this request.\n", [("Content-Type", "text/plain")])

    def _answer(self, call: Call, asked: bytes) -> Answer:
        try:
            self._credentials.check(call.access_key, call.token, call.service, call.protocol)
            self._faults.apply(call)
            self._authorise(call)
            return self._quick(call) or self.remembered.answer(call, asked, lambda: self._answer_or_refuse(call))
        except AwsError as refusal:
            return serialise_error(call, refusal)
        except ConnectionCutError:
            raise
        except Exception:
            log.exception("the embedded account failed on %s in %s", call.iam_action, call.region)
            return serialise_error(call, internal_error(call.service, call.protocol))

    def _answer_or_refuse(self, call: Call) -> Answer:
        handler = self._handlers.get((call.service, call.name))

        def backend(environ: Environ) -> Answer:
            if handler is None:
                return self._ask_moto(call, environ)
            made = handler(call)
            if made is None:
                return self._ask_moto(call, environ)
            if isinstance(made, Answer):
                return made
            wrong = violations(made, call.operation.output_shape)
            if wrong:
                # A made-up answer that AWS's own model rejects would teach callers wrong things.
                raise RuntimeError(f"{call.iam_action}: {'; '.join(wrong)}")
            return serialise(call, made)

        correct = self._correction(call)
        pages = None if (call.service, call.name) in _PAGED_BY_HANDLER else pagination_of(call.service, call.name)
        if pages is not None:
            return self._pager.answer(call, pages, backend, correct)
        answer = backend(call.fresh_environ())
        if correct is None or answer.status >= 300:
            return answer
        parsed = parse(call, answer)
        correct(parsed)
        return serialise(call, parsed)

    def _correction(self, call: Call) -> Callable[[dict[str, Any]], None] | None:
        """What to do to moto's answer before it is paged: correct it, then add to it."""
        correct, additions = CORRECTIONS.get((call.service, call.name)), self._additions
        if additions is None or (call.service, call.name) in self._handlers or not additions.adds(call):
            return correct

        def both(answer: dict[str, Any]) -> None:
            if correct is not None:
                correct(answer)
            additions.add(call, answer)

        return both

    def _ask_moto(self, call: Call, environ: Environ) -> Answer:
        try:
            answer = ask(self._backend, environ)
        except NotImplementedError as missing:
            raise not_simulated(call.service, call.name) from missing
        if answer.status >= 500 and answer.body.lstrip().lower().startswith(b"<!doctype html"):
            raise not_simulated(call.service, call.name)
        effect = EFFECTS.get((call.service, call.name))
        if effect is not None and answer.status < 300:
            effect(call, parse(call, answer))
        return answer


def _send(answer: Answer, start_response: Callable[..., Any]) -> Iterable[bytes]:
    headers = [(name, value) for name, value in answer.headers if name.lower() != "content-length"]
    headers += [("Content-Length", str(len(answer.body))), (SIMULATED_HEADER, "1")]
    start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
    return [answer.body]


# Operations whose pages are no cuts of one list.
_PAGED_BY_HANDLER = frozenset(
    {
        ("athena", "GetQueryResults"),
        ("budgets", "DescribeBudgetPerformanceHistory"),
        ("ce", "GetCostAndUsage"),
        ("cloudwatch", "GetMetricData"),
        ("pricing", "GetProducts"),
    }
)
