from pathlib import Path

import pytest

from aws_finops_mcp.findings import Category
from aws_finops_mcp.settings import Settings, SettingsError, load_settings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)


def file_with(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_guides_names_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("MCP_SERVER_HOST", "0.0.0.0")  # noqa: S104 - the guide's own value
    monkeypatch.setenv("MCP_SERVER_PORT", "9000")
    monkeypatch.setenv("MCP_TOOL_CATEGORIES", "cleanup, cost")
    monkeypatch.setenv("MCP_SERVER_MODE", "http")
    settings = load_settings()
    assert settings.aws_region == "eu-west-1"
    assert settings.mcp_server_host == "0.0.0.0"  # noqa: S104
    assert settings.mcp_server_port == 9000
    assert settings.mcp_server_mode == "http"
    assert settings.categories == {Category.CLEANUP, Category.COST}


def test_the_file_is_read_and_the_environment_wins_over_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = file_with(tmp_path, 'mcp_server_port = 9001\nmcp_allowed_hosts = ["a.example", "b.example"]\n')
    monkeypatch.setenv("MCP_SERVER_WORKERS", "5")
    settings = load_settings(file)
    assert (settings.mcp_server_port, settings.mcp_server_workers) == (9001, 5)
    assert settings.mcp_allowed_hosts == ("a.example", "b.example")
    monkeypatch.setenv("MCP_SERVER_PORT", "9002")
    assert load_settings(file).mcp_server_port == 9002


def test_settings_of_the_host_that_may_not_be_read_are_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who logs in to a host would get other accounts and no audit log without them."""

    def denied(path: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("aws_finops_mcp.settings.settings.Path.open", denied)
    with pytest.raises(
        SettingsError, match=r"^/etc/aws-finops-mcp/config.toml: Permission denied; run this as root or"
    ):
        load_settings()


def test_the_cache_is_where_systemd_or_the_desktop_puts_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CACHE_DIRECTORY", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/someone")
    assert load_settings().mcp_cache_dir == Path("/home/someone/.cache/aws-finops-mcp")
    monkeypatch.setenv("XDG_CACHE_HOME", "/fast")
    assert load_settings().mcp_cache_dir == Path("/fast/aws-finops-mcp")
    monkeypatch.setenv("CACHE_DIRECTORY", "/var/cache/aws-finops-mcp:/var/cache/other")
    assert load_settings().mcp_cache_dir == Path("/var/cache/aws-finops-mcp")
    monkeypatch.setenv("MCP_CACHE_DIR", "/mine")
    assert load_settings().mcp_cache_dir == Path("/mine")


def test_without_a_home_there_is_no_cache_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CACHE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert load_settings().mcp_cache_dir is None


def test_aws_default_region_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-southeast-2")
    assert load_settings().aws_region == "ap-southeast-2"


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("MCP_SERVER_PORT", "http", "MCP_SERVER_PORT: got 'http' from the environment"),
        ("MCP_SERVER_PORT", "70000", "less than or equal to 65535"),
        ("AWS_REGION", "us-esat-1", "not an AWS region; did you mean us-west-1 or us-east-1"),
        ("MCP_TOOL_CATEGORIES", "clean", "clean is no category; there are: essential, all, cleanup"),
        ("MCP_SERVER_MODE", "sse", "MCP_SERVER_MODE"),
        ("MCP_LOG_LEVEL", "LOUD", "MCP_LOG_LEVEL"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, wanted: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert wanted in str(error.value)


def test_an_unknown_key_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"mcp_server_prot: there is no such setting .*mcp_server_port"):
        load_settings(file_with(tmp_path, "mcp_server_prot = 1\n"))


def test_a_wrong_value_of_the_file_names_the_file(tmp_path: Path) -> None:
    file = file_with(tmp_path, "mcp_server_workers = -1\n")
    with pytest.raises(SettingsError, match=f"MCP_SERVER_WORKERS: got -1 from {file}"):
        load_settings(file)


def test_a_file_that_does_not_parse_is_named(tmp_path: Path) -> None:
    file = file_with(tmp_path, "mcp_server_port = \n")
    with pytest.raises(SettingsError, match=str(file)):
        load_settings(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such settings file"):
        load_settings(tmp_path / "none.toml")


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """systemd's directory of a service's credentials: those of boto3 lie there too."""
    directory = tmp_path / "credentials"
    directory.mkdir()
    (directory / "aws").write_text("[default]\naws_access_key_id = simulated\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(directory))
    return directory


def test_a_credential_wins_over_the_file_and_the_environment_over_both(
    tmp_path: Path, credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = file_with(tmp_path, 'mcp_server_port = 9001\nmcp_server_workers = 3\naws_region = "eu-west-1"\n')
    (credentials / "mcp_server_workers").write_text("4\n")
    (credentials / "mcp_accounts").write_text('{"shop": {"external_id": "only-we-know"}}\n')
    settings = load_settings(file)
    assert (settings.mcp_server_port, settings.mcp_server_workers) == (9001, 4)
    assert settings.mcp_accounts["shop"].external_id == "only-we-know"
    monkeypatch.setenv("MCP_SERVER_WORKERS", "5")
    assert load_settings(file).mcp_server_workers == 5


@pytest.mark.parametrize(
    ("name", "content", "wanted"),
    [
        ("mcp_server_workers", "hidden-4711", "MCP_SERVER_WORKERS: the credential mcp_server_workers: Input should be"),
        ("aws_region", "hidden-4711", "AWS_REGION: the credential aws_region: not as it must be"),
        ("mcp_accounts", "hidden-4711", 'error parsing value for field "mcp_accounts"'),
        ("mcp_accounts", '{"a": {"role_arn": "hidden-4711"}}', "MCP_ACCOUNTS.a.role_arn: the credential mcp_accounts"),
        ("mcp_accounts", '{"hidden-4711!": {}}', "MCP_ACCOUNTS: the credential mcp_accounts: not as it must be"),
    ],
)
def test_a_wrong_credential_is_named_and_not_shown(credentials: Path, name: str, content: str, wanted: str) -> None:
    (credentials / name).write_text(content)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert wanted in str(caught.value)
    assert "hidden-4711" not in str(caught.value)


def test_credentials_that_cannot_be_read_are_not_passed_over(
    credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # root may read everything
    with pytest.raises(SettingsError, match=r"/credentials: the credentials .* may not be read"):
        load_settings(file_with(credentials.parent, ""))


def test_a_service_without_credentials_has_no_directory_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "none"))
    assert load_settings().mcp_server_port == 8000
