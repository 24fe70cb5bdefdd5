"""The roles of the agents: what they render, and what they refuse before a host is touched."""

import copy
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from tests.roles.running import PROJECT, Case, preflight, run_many

ROLE = PROJECT / "roles/cloudwatch_agent"
ACTIVATION = "12345678-90ab-cdef-1234-567890abcdef"


def problems(config: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """The role's own filter."""
    spec = importlib.util.spec_from_file_location("cw", ROLE / "filter_plugins/cloudwatch_agent.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: list[str] = module.problems(config, schema)
    return found


def own_schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((ROLE / "files/schema.json").read_text())
    return schema


def rendered_many(tmp_path: Path, **cases: Case) -> dict[str, dict[str, Any]]:
    """The configurations that hosts would get, by the cases' names."""
    content = {"content": "{{ __cloudwatch_agent_whole | to_json }}", "dest": "{{ to }}", "mode": "0600"}
    files = {name: tmp_path / f"{name}.json" for name in cases}
    tasks: list[dict[str, Any]] = [preflight("cloudwatch_agent"), {"ansible.builtin.copy": content}]
    done = run_many(tmp_path, tasks, {name: {**case, "to": str(files[name])} for name, case in cases.items()})
    assert not [one.output for one in done.values() if one.failed]
    return {name: json.loads(file.read_text()) for name, file in files.items()}


def rendered(tmp_path: Path, **given: Any) -> dict[str, Any]:
    """The configuration that a host would get."""
    return rendered_many(tmp_path, one=given)["one"]


MORE = {"file_path": "/var/log/other.log", "log_group_name": "other", "log_stream_name": "x", "retention_in_days": 7}


@pytest.fixture(scope="module")
def configurations(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Those that the tests look at, of one run."""
    extra = {"logs": {"logs_collected": {"files": {"collect_list": [MORE]}}}, "agent": {"debug": True}}
    return rendered_many(
        tmp_path_factory.mktemp("configurations"),
        usual={},
        too_old_for_the_journal={"cloudwatch_agent_version": "1.300069.9b9"},
        with_the_journal={"cloudwatch_agent_version": "1.300070.0b1"},
        changed={
            "cloudwatch_agent_extra": extra,
            "cloudwatch_agent_traces": False,
            "cloudwatch_agent_journal_units": [],
        },
        elsewhere={"cloudwatch_agent_mode": "onPremise", "cloudwatch_agent_region": "eu-west-1"},
        less={
            "cloudwatch_agent_traces": False,
            "cloudwatch_agent_journal_units": [],
            "cloudwatch_agent_retention_days": -1,
        },
    )


Configurations = dict[str, dict[str, Any]]


def test_the_configuration_keeps_to_the_schema_and_holds_what_is_promised(configurations: Configurations) -> None:
    config = configurations["usual"]
    assert problems(config, own_schema()) == []
    assert config["agent"]["run_as_user"] == "cwagent"
    assert config["agent"]["usage_data"] is False
    logs = config["logs"]["logs_collected"]["files"]["collect_list"]
    assert {log["log_stream_name"]: log["file_path"] for log in logs} == {
        "{instance_id}/server": "/var/log/aws-finops-mcp/server.log",
        "{instance_id}/metrics": "/var/log/aws-finops-mcp/metrics.log",
        "{instance_id}/audit": "/var/log/aws-finops-mcp/audit.log",
        "{instance_id}/nginx": "/var/log/nginx/aws-finops-mcp.log",
        "{instance_id}/nginx-error": "/var/log/nginx/error.log",
        "{instance_id}/certbot": "/var/log/letsencrypt/letsencrypt.log",
        "{instance_id}/certificates": "/var/log/letsencrypt/certificates.log",
    }
    assert {(log["log_group_name"], log["retention_in_days"]) for log in logs} == {("aws-finops-mcp", 30)}
    otlp = config["traces"]["traces_collected"]["otlp"]
    assert otlp == {"grpc_endpoint": "127.0.0.1:4317", "http_endpoint": "127.0.0.1:4318"}
    assert set(config["metrics"]["metrics_collected"]) == {"cpu", "mem", "disk", "procstat"}


def agents_schema() -> dict[str, Any]:
    """The one that an installed agent has; from where: cwagent/README.md."""
    schema: dict[str, Any] = json.loads((Path(__file__).parent / "cwagent/schema.json").read_text())
    return schema


@pytest.mark.parametrize("name", ["usual", "elsewhere", "less"])
def test_the_configuration_keeps_to_the_agents_own_schema(configurations: Configurations, name: str) -> None:
    assert problems(configurations[name], agents_schema()) == []


def test_the_agents_own_schema_finds_keys_that_the_agent_does_not_know(configurations: Configurations) -> None:
    """Most of them its own validation lets through: at the upper levels the schema allows any."""
    config = copy.deepcopy(configurations["usual"])
    config["logs"]["logs_collected"]["files"]["collect_list"][0]["retention_in_day"] = 3
    config["logs"]["logs_collected"]["journald"]["collect_list"][0]["unit"] = ["nginx.service"]
    config["metrics"]["metrics_collected"]["cpus"] = {"measurement": ["usage_active"]}
    config["metrics"]["metrics_collected"]["procstat"][0]["patern"] = "x"
    config["agent"]["usage_date"] = False
    config["trace"] = {}
    found = problems(config, agents_schema())
    unknown = {problem.partition(":")[0] for problem in found if "the agent knows no such key" in problem}
    assert unknown == {
        "trace",
        "agent.usage_date",
        "metrics.metrics_collected.cpus",
        "metrics.metrics_collected.procstat.0.patern",
        "logs.logs_collected.files.collect_list.0.retention_in_day",
        "logs.logs_collected.journald.collect_list.0.unit",
    }


@pytest.mark.parametrize(("name", "journal"), [("too_old_for_the_journal", False), ("with_the_journal", True)])
def test_the_journal_is_for_agents_that_can_read_it(configurations: Configurations, name: str, journal: bool) -> None:
    config = configurations[name]
    assert ("journald" in config["logs"]["logs_collected"]) is journal
    assert problems(config, own_schema()) == []


def test_what_an_operator_adds_is_merged_and_what_they_turn_off_is_gone(configurations: Configurations) -> None:
    config = configurations["changed"]
    logs = config["logs"]["logs_collected"]["files"]["collect_list"]
    assert (len(logs), logs[-1]) == (8, MORE)
    assert config["agent"]["debug"] is True
    assert "traces" not in config
    assert "journald" not in config["logs"]["logs_collected"]


def test_a_host_outside_of_ec2_has_no_instance(configurations: Configurations) -> None:
    config = configurations["elsewhere"]
    assert config["agent"]["region"] == "eu-west-1"
    assert config["metrics"]["append_dimensions"] == {}
    assert config["logs"]["logs_collected"]["files"]["collect_list"][0]["log_stream_name"] == "{hostname}/server"


def test_what_would_not_work_is_refused(tmp_path: Path) -> None:
    wrong: list[dict[str, Any]] = [
        {"cloudwatch_agent_mode": "onPremise"},
        {"cloudwatch_agent_logs": []},
        {"cloudwatch_agent_logs": [{"stream": "a", "path": "/a"}, {"stream": "a", "path": "/b"}]},
        {"cloudwatch_agent_otlp_port": 4317},
        {"cloudwatch_agent_extra": {"agent": {"run_as_user": "root"}}},
        {"cloudwatch_agent_retention_days": 31},
        {"cloudwatch_agent_logs": [{"stream": "a", "path": "relative"}]},
    ]
    done = run_many(tmp_path, [preflight("cloudwatch_agent")], {str(one): one for one in wrong})
    assert not [case for case, one in done.items() if not one.failed]


def test_unknown_keys_are_found_at_every_depth() -> None:
    schema = {
        "properties": {
            "open": {"type": "object", "additionalProperties": {"type": "string"}},
            "deep": {"allOf": [{"$ref": "#/definitions/a"}, {"properties": {"b": {"type": "integer"}}}]},
            "list": {
                "type": "array",
                "items": {"oneOf": [{"type": "string"}, {"type": "object", "properties": {"name": {}}}]},
            },
        },
        "additionalProperties": True,
        "definitions": {"a": {"type": "object", "properties": {"a": {"type": "integer"}}}},
    }
    good = {"open": {"any": "x"}, "deep": {"a": 1, "b": 2}, "list": ["x", {"name": 1}]}
    assert problems(good, schema) == []
    bad = {**good, "deep": {"a": 1, "c": 2}, "list": [{"nam": 1}], "opne": {}}
    assert sorted(problem.partition(":")[0] for problem in problems(bad, schema)) == ["deep.c", "list.0.nam", "opne"]


def test_the_ssm_agents_key_is_warned_of_in_time(tmp_path: Path) -> None:
    days = {"in time": 100, "soon": 30, "too late": -3}
    day = "{{ '%Y-%m-%d' | strftime(now().timestamp() + DAYS * 86400) }}"
    cases = {name: {"ssm_agent_key_expires": day.replace("DAYS", f"({count})")} for name, count in days.items()}
    done = run_many(tmp_path, [preflight("ssm_agent")], cases)
    assert not [one.output for one in done.values() if one.failed]
    warned = {name: "WARNING: the key that amazon-ssm-agent is verified with" in one.text for name, one in done.items()}
    assert warned == {"in time": False, "soon": True, "too late": True}


def test_half_an_activation_is_refused_and_no_code_is_shown(tmp_path: Path) -> None:
    wrong: list[dict[str, Any]] = [
        {"ssm_agent_activation_id": ACTIVATION},
        {"ssm_agent_activation_code": "code-of-the-test"},
        {"ssm_agent_activation_id": "-y", "ssm_agent_activation_code": "code-of-the-test"},
        {"ssm_agent_key_expires": "soon"},
    ]
    done = run_many(tmp_path, [preflight("ssm_agent")], {str(one): one for one in wrong})
    assert not [case for case, one in done.items() if not one.failed]
    assert not [case for case, one in done.items() if "code-of-the-test" in one.output]


def test_the_ssm_agent_comes_from_its_regions_bucket(tmp_path: Path) -> None:
    wanted = {
        "eu-west-1": "https://amazon-ssm-eu-west-1.s3.eu-west-1.amazonaws.com/3.3.4624.0/debian_amd64/"
        "amazon-ssm-agent.deb",
        "us-gov-west-1": "https://amazon-ssm-us-gov-west-1.s3.us-gov-west-1.amazonaws.com/",
        "cn-north-1": "https://amazon-ssm-cn-north-1.s3.cn-north-1.amazonaws.com.cn/",
    }
    tasks = [preflight("ssm_agent"), {"ansible.builtin.debug": {"msg": "from {{ __ssm_agent_url }}"}}]
    done = run_many(tmp_path, tasks, {region: {"ssm_agent_region": region} for region in wanted})
    for region, url in wanted.items():
        assert f"from {url}" in done[region].text


def test_the_cloudwatch_agent_comes_from_its_partition(tmp_path: Path) -> None:
    buckets = {
        "": "amazoncloudwatch-agent.s3.amazonaws.com",
        "eu-west-1": "amazoncloudwatch-agent.s3.amazonaws.com",
        "us-gov-east-1": "amazoncloudwatch-agent-us-gov-east-1.s3.us-gov-east-1.amazonaws.com",
        "cn-northwest-1": "amazoncloudwatch-agent-cn-northwest-1.s3.cn-northwest-1.amazonaws.com.cn",
    }
    names = ("url", "signature_url", "key")
    told = "{{ [" + ", ".join(f"__cloudwatch_agent_{name}" for name in names) + "] | to_json }}"
    copied = {"content": told, "dest": "{{ to }}", "mode": "0600"}
    seen = {region: tmp_path / f"seen{region}.json" for region in buckets}
    cases = {region: {"cloudwatch_agent_region": region, "to": str(file)} for region, file in seen.items()}
    done = run_many(tmp_path, [preflight("cloudwatch_agent"), {"ansible.builtin.copy": copied}], cases)
    assert not [one.output for one in done.values() if one.failed]
    # AWS has the key in one place; what is there is held to the pinned fingerprint.
    key = "https://amazoncloudwatch-agent.s3.amazonaws.com/assets/amazon-cloudwatch-agent.gpg"
    for region, bucket in buckets.items():
        url = f"https://{bucket}/ubuntu/amd64/1.300072.0b1766/amazon-cloudwatch-agent.deb"
        assert json.loads(seen[region].read_text()) == [url, f"{url}.sig", key], region
