"""Which authority certbot asks, and that a change of it asks again."""

from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader  # type: ignore[import-untyped]
from tests.roles.aws.templates import ROLES, evaluated

STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory"
PRODUCTION = "https://acme-v02.api.letsencrypt.org/directory"
NAMES = ["finops.example.com"]


def asked(*, before: str, exists: bool, **given: Any) -> list[str]:
    """What the role runs to obtain a certificate; nothing where it keeps the one that is there.

    Args:
        before: what the certificate that is there was asked for.
        exists: whether there is one.
        given: variables of the role.
    """
    file = str(Path(ROLES) / "certbot/tasks/obtain.yml")
    (task,) = [
        task
        for task in DataLoader().load_from_file(file, trusted_as_template=True)
        if task["name"] == "Obtain | Certificate"
    ]
    state: dict[str, Any] = {
        "__certbot_before": before,
        "__certbot_have": {"stat": {"exists": exists}},
        "certbot_domains": NAMES,
    }
    state |= {"certbot_email": "ops@example.com", **given}
    if not evaluated(f"{{{{ {task['when']} }}}}", ["certbot"], **state):
        return []
    command = evaluated(task["ansible.builtin.command"]["argv"], ["certbot"], **task["vars"], **state)
    return [str(word) for word in command]


def request(**given: Any) -> str:
    return str(evaluated("{{ __certbot_request }}", ["certbot"], certbot_domains=NAMES, **given))


def server(command: list[str]) -> str:
    return command[command.index("--server") + 1]


def test_the_staging_switch_names_the_authority() -> None:
    rehearsal = asked(before="", exists=False, certbot_staging=True)
    assert server(rehearsal) == STAGING
    assert server(asked(before="", exists=False)) == PRODUCTION
    assert "--force-renewal" not in rehearsal


def test_back_from_the_rehearsal_a_real_certificate_is_obtained_at_once() -> None:
    """Nobody trusts the one that is there, which certbot itself would keep until it is due."""
    rehearsed = request(certbot_staging=True)
    real = asked(before=rehearsed, exists=True)
    assert server(real) == PRODUCTION
    assert "--force-renewal" in real
    assert server(asked(before=request(), exists=True, certbot_staging=True)) == STAGING


def test_what_is_there_is_kept_while_the_authority_is_the_same() -> None:
    assert asked(before=request(), exists=True) == []
    assert asked(before=request(certbot_staging=True), exists=True, certbot_staging=True) == []


def test_an_authority_of_ones_own_is_asked_whatever_the_switch_says() -> None:
    own = "https://acme.example.com/directory"
    assert server(asked(before="", exists=False, certbot_server=own, certbot_staging=True)) == own
