import pytest

from aws_finops_mcp.audits.catalogue import ALWAYS_LISTED, TOOLS
from aws_finops_mcp.declaration import ArgumentsError

VOLUMES = TOOLS["find_unused_volumes"]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"region": "us-east-1"}, "region: find_unused_volumes has no such argument; did you mean region_name?"),
        ({"colour": 1}, "there are: account, budget, region_name, max_results, cursor, detail, fields, min_age_days"),
        (
            {"region_name": "us-esat-1"},
            "region_name: got 'us-esat-1'; not an AWS region; did you mean us-west-1 or us-east-1",
        ),
        ({"max_results": 0}, "max_results: got 0; Input should be greater than or equal to 1"),
        ({"max_results": "many"}, "max_results: got 'many'"),
        ({"min_age_days": None}, "min_age_days: got None"),
    ],
)
def test_wrong_arguments_are_named_with_what_was_given_and_what_is_right(
    arguments: dict[str, object], wanted: str
) -> None:
    with pytest.raises(ArgumentsError) as error:
        VOLUMES.parse(arguments)
    assert wanted in str(error.value)
    assert "errors.pydantic.dev" not in str(error.value)


@pytest.mark.parametrize("name", ["access_key", "secret_access_key", "session_token", "role_arn", "profile_name"])
def test_credentials_are_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(ArgumentsError) as error:
        VOLUMES.parse({name: "AKIASECRETVALUE"})
    assert "never taken as arguments" in str(error.value)
    assert "AKIASECRETVALUE" not in str(error.value)


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_every_declaration_is_whole(tool: object) -> None:
    assert isinstance(tool, type(VOLUMES))
    assert len(tool.description) < 1024
    assert tool.references or not tool.iam_actions or tool.name in ALWAYS_LISTED
    assert len(set(tool.iam_actions)) == len(tool.iam_actions)
    schema = tool.input_schema()
    assert schema["additionalProperties"] is False
    for name, argument in schema["properties"].items():
        assert argument.get("description"), f"{tool.name}: {name} has no description"
        required = name in schema.get("required", ())
        assert required or "default" in argument, f"{tool.name}: {name} has no default"


def test_the_fields_names_and_defaults_are_kept() -> None:
    """The parameters that callers of the field's other server already use."""
    defaults = {
        "find_unused_lambda_functions": {"region_name", "period", "max_results"},
        "find_unused_volumes": {"region_name", "max_results"},
        "find_unused_elastic_ips": {"region_name"},
        "find_unused_nat_gateways": {"region_name", "period", "max_results"},
        "get_cost_by_service": {"start_date", "end_date"},
        "get_cost_by_region": {"start_date", "end_date"},
        "get_cost_by_region_and_service": {"start_date", "end_date"},
        "get_daily_cost_trend": {"days"},
        "analyze_data_transfer_costs": {"region_name"},
        "generate_cost_allocation_report": {"region_name"},
        "get_all_cost_optimization_recommendations": {"region_name"},
        "get_cost_optimization_ebs": {"region_name"},
        "get_cost_optimization_ec2": {"region_name"},
        "get_cost_optimization_lambda": {"region_name"},
        "get_cost_optimization_rds": {"region_name"},
        "analyze_reserved_instance_utilization": {"region_name"},
        "get_reserved_instance_recommendations": {"region_name", "service"},
        "get_savings_plans_recommendations": {"region_name"},
    }
    for name, parameters in defaults.items():
        assert parameters <= TOOLS[name].input_schema()["properties"].keys()
    assert TOOLS["find_unused_lambda_functions"].parse({}).period == 90
    assert TOOLS["get_daily_cost_trend"].parse({}).days == 30
    assert TOOLS["find_unused_nat_gateways"].parse({}).period == 32
