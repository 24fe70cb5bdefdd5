"""The roles of the agents: what they render, and what they refuse before a host is touched."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from tests.roles.test_preflight import DEBIAN, PROJECT, preflight, run_tasks

ROLE = PROJECT / "roles/cloudwatch_agent"
HOST = DEBIAN
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


def rendered(tmp_path: Path, **given: Any) -> dict[str, Any]:
    """The configuration that a host would get."""
    file = tmp_path / "config.json"
    role = {"name": "cloudwatch_agent", "tasks_from": "preflight", "public": True}
    tasks: list[dict[str, Any]] = [
        {"ansible.builtin.include_role": role},
        {
            "ansible.builtin.copy": {
                "content": "{{ __cloudwatch_agent_whole | to_json }}",
                "dest": str(file),
                "mode": "0600",
            }
        },
    ]
    done = run_tasks(tmp_path, tasks, HOST, **given)
    assert done.returncode == 0, done.stdout
    config: dict[str, Any] = json.loads(file.read_text())
    return config


def test_the_configuration_keeps_to_the_schema_and_holds_what_is_promised(tmp_path: Path) -> None:
    config = rendered(tmp_path)
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


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"cloudwatch_agent_mode": "onPremise", "cloudwatch_agent_region": "eu-west-1"},
        {"cloudwatch_agent_traces": False, "cloudwatch_agent_journal_units": [], "cloudwatch_agent_retention_days": -1},
    ],
    ids=["as it is", "outside of EC2", "less of it"],
)
def test_the_configuration_keeps_to_the_agents_own_schema(tmp_path: Path, given: dict[str, Any]) -> None:
    assert problems(rendered(tmp_path, **given), agents_schema()) == []


def test_the_agents_own_schema_finds_keys_that_the_agent_does_not_know(tmp_path: Path) -> None:
    """Most of them its own validation lets through: at the upper levels the schema allows any."""
    config = rendered(tmp_path)
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


@pytest.mark.parametrize(
    ("version", "journal"),
    [("1.300069.9b9", False), ("1.300070.0b1", True)],
)
def test_the_journal_is_for_agents_that_can_read_it(tmp_path: Path, version: str, journal: bool) -> None:
    config = rendered(tmp_path, cloudwatch_agent_version=version)
    assert ("journald" in config["logs"]["logs_collected"]) is journal
    assert problems(config, own_schema()) == []


def test_what_an_operator_adds_is_merged_and_what_they_turn_off_is_gone(tmp_path: Path) -> None:
    more = {
        "file_path": "/var/log/other.log",
        "log_group_name": "other",
        "log_stream_name": "x",
        "retention_in_days": 7,
    }
    extra = {"logs": {"logs_collected": {"files": {"collect_list": [more]}}}, "agent": {"debug": True}}
    config = rendered(
        tmp_path, cloudwatch_agent_extra=extra, cloudwatch_agent_traces=False, cloudwatch_agent_journal_units=[]
    )
    logs = config["logs"]["logs_collected"]["files"]["collect_list"]
    assert (len(logs), logs[-1]) == (8, more)
    assert config["agent"]["debug"] is True
    assert "traces" not in config
    assert "journald" not in config["logs"]["logs_collected"]


def test_a_host_outside_of_ec2_has_no_instance(tmp_path: Path) -> None:
    config = rendered(tmp_path, cloudwatch_agent_mode="onPremise", cloudwatch_agent_region="eu-west-1")
    assert config["agent"]["region"] == "eu-west-1"
    assert config["metrics"]["append_dimensions"] == {}
    assert config["logs"]["logs_collected"]["files"]["collect_list"][0]["log_stream_name"] == "{hostname}/server"


@pytest.mark.parametrize(
    "wrong",
    [
        {"cloudwatch_agent_mode": "onPremise"},
        {"cloudwatch_agent_logs": []},
        {"cloudwatch_agent_logs": [{"stream": "a", "path": "/a"}, {"stream": "a", "path": "/b"}]},
        {"cloudwatch_agent_otlp_port": 4317},
        {"cloudwatch_agent_extra": {"agent": {"run_as_user": "root"}}},
        {"cloudwatch_agent_retention_days": 31},
        {"cloudwatch_agent_logs": [{"stream": "a", "path": "relative"}]},
    ],
)
def test_what_would_not_work_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    done = preflight(tmp_path, ("cloudwatch_agent",), HOST, **wrong)
    assert done.returncode != 0


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


@pytest.mark.parametrize(("days", "warns"), [(100, False), (30, True), (-3, True)], ids=["in time", "soon", "too late"])
def test_the_ssm_agents_key_is_warned_of_in_time(tmp_path: Path, days: int, warns: bool) -> None:
    day = "{{ '%Y-%m-%d' | strftime(now().timestamp() + " + str(days * 86400) + ") }}"
    done = preflight(tmp_path, ("ssm_agent",), HOST, ssm_agent_key_expires=day)
    assert done.returncode == 0, done.stdout
    assert ("WARNING: the key that amazon-ssm-agent is verified with" in " ".join(done.stdout.split())) is warns


@pytest.mark.parametrize(
    "wrong",
    [
        {"ssm_agent_activation_id": ACTIVATION},
        {"ssm_agent_activation_code": "code-of-the-test"},
        {"ssm_agent_activation_id": "-y", "ssm_agent_activation_code": "code-of-the-test"},
        {"ssm_agent_key_expires": "soon"},
    ],
)
def test_half_an_activation_is_refused_and_no_code_is_shown(tmp_path: Path, wrong: dict[str, Any]) -> None:
    done = preflight(tmp_path, ("ssm_agent",), HOST, **wrong)
    assert done.returncode != 0
    assert "code-of-the-test" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("region", "url"),
    [
        (
            "eu-west-1",
            "https://amazon-ssm-eu-west-1.s3.eu-west-1.amazonaws.com/3.3.4624.0/debian_amd64/amazon-ssm-agent.deb",
        ),
        ("us-gov-west-1", "https://amazon-ssm-us-gov-west-1.s3.us-gov-west-1.amazonaws.com/"),
        ("cn-north-1", "https://amazon-ssm-cn-north-1.s3.cn-north-1.amazonaws.com.cn/"),
    ],
)
def test_the_ssm_agent_comes_from_its_regions_bucket(tmp_path: Path, region: str, url: str) -> None:
    role = {"name": "ssm_agent", "tasks_from": "preflight", "public": True}
    tasks: list[dict[str, Any]] = [
        {"ansible.builtin.include_role": role},
        {"ansible.builtin.debug": {"msg": "from {{ __ssm_agent_url }}"}},
    ]
    done = run_tasks(tmp_path, tasks, HOST, ssm_agent_region=region)
    assert f"from {url}" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("region", "bucket"),
    [
        ("", "amazoncloudwatch-agent.s3.amazonaws.com"),
        ("eu-west-1", "amazoncloudwatch-agent.s3.amazonaws.com"),
        ("us-gov-east-1", "amazoncloudwatch-agent-us-gov-east-1.s3.us-gov-east-1.amazonaws.com"),
        ("cn-northwest-1", "amazoncloudwatch-agent-cn-northwest-1.s3.cn-northwest-1.amazonaws.com.cn"),
    ],
)
def test_the_cloudwatch_agent_comes_from_its_partition(tmp_path: Path, region: str, bucket: str) -> None:
    role = {"name": "cloudwatch_agent", "tasks_from": "preflight", "public": True}
    names = ("url", "signature_url", "key")
    seen = tmp_path / "seen.json"
    told = "{{ [" + ", ".join(f"__cloudwatch_agent_{name}" for name in names) + "] | to_json }}"
    tasks: list[dict[str, Any]] = [
        {"ansible.builtin.include_role": role},
        {"ansible.builtin.copy": {"content": told, "dest": str(seen), "mode": "0600"}},
    ]
    done = run_tasks(tmp_path, tasks, HOST, cloudwatch_agent_region=region)
    assert done.returncode == 0, done.stdout
    url = f"https://{bucket}/ubuntu/amd64/1.300072.0b1766/amazon-cloudwatch-agent.deb"
    # AWS has the key in one place; what is there is held to the pinned fingerprint.
    key = "https://amazoncloudwatch-agent.s3.amazonaws.com/assets/amazon-cloudwatch-agent.gpg"
    assert json.loads(seen.read_text()) == [url, f"{url}.sig", key]
