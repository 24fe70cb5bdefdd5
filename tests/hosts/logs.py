"""All logs of a host, and all that molecule's playbooks said, looked through for every secret that they know.

EFFECTS is JSON, as in effects.py.
"""

import json
from base64 import b64encode

import pytest
from tests.hosts.effects import EFFECTS, STATE, Host

SHORT = 12
"""Characters of a secret that could be in a text by chance."""

# What a host keeps that is secret: private keys (PEM, JWK), hashes of passwords and of API keys, credentials of AWS.
# The third line of an EC key is its public half, which certbot logs with the certificate.
KEPT = r"""
for file in /etc/letsencrypt/archive/*/privkey*.pem; do
  [ ! -e "$file" ] || sed -n 2,3p "$file"
done
for file in /etc/ssh/ssh_host_*_key; do
  [ ! -e "$file" ] || grep -v -e '-----' "$file" | grep -E '.{32}' | grep -vE '^b3BlbnNzaC1rZXktdjE'
done
for file in /etc/letsencrypt/accounts/*/*/*/private_key.json; do
  [ ! -e "$file" ] || grep -oE '"(d|p|q|dp|dq|qi)": "[^"]+"' "$file" | cut -d '"' -f 4
done
[ ! -e /etc/aws-finops-mcp/users ] || cut -d : -f 2 /etc/aws-finops-mcp/users
[ ! -e /var/lib/aws-finops-mcp/keys.json ] || grep -oE '"[0-9a-f]{64}"' /var/lib/aws-finops-mcp/keys.json | tr -d '"'
[ ! -e /etc/aws-finops-mcp/secrets/aws ] || sed -n 's/^aws_secret_access_key *= *//p' /etc/aws-finops-mcp/secrets/aws
"""

# All files below /var/log as they are, rotated ones unpacked, and the journal with all that it knows of each line, such
# as the command that wrote it. The journal's own files are no text.
LOOK = r"""
set -u
umask 077
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cat >"$directory/secrets" <<'END-OF-SECRETS'
%s
END-OF-SECRETS
look() { # <name>
  tee "$directory/text" | grep -aoFf "$directory/secrets" | sort -u | sed "s|^|$1: |"
  echo "looked at $1: $(wc -c <"$directory/text")"
}
find /var/log -path /var/log/journal -prune -o -type f -print | while read -r file; do
  case $file in
  *.gz) zcat "$file" | look "$file" ;;
  *) look "$file" <"$file" ;;
  esac
done
journalctl --all --output export --no-pager | look journal
dmesg 2>/dev/null | look kernel
"""


def secrets_of(host: Host) -> set[str]:
    """All that must be in no log, each as it would be there: logs are lines, and may have JSON in them."""
    passwords = {EFFECTS["user"]: EFFECTS["password"], "second": EFFECTS["second"]}
    found = {EFFECTS["secret"], EFFECTS["external_id"], *passwords.values(), *host.shell(KEPT).split()}
    found |= {b64encode(f"{user}:{password}".encode()).decode().rstrip("=") for user, password in passwords.items()}
    found |= {json.dumps(one)[1:-1] for one in found}
    return {one for one in found if len(one) >= SHORT}


@pytest.mark.parametrize("name", EFFECTS["hosts"])
def test_no_log_of_a_host_has_a_secret(name: str) -> None:
    host = Host(name, EFFECTS["hosts"][name])
    secrets = secrets_of(host)
    assert len(secrets) > 10
    # It finds what is there: a line of the system log that is looked for like the secrets.
    marker = f"marker-of-{name}"
    host.shell(f"logger --tag control {marker}; journalctl --sync")
    lines = host.shell(LOOK % "\n".join(sorted(secrets | {marker}))).splitlines()
    looked = {line.split(": ")[0].removeprefix("looked at ") for line in lines if line.startswith("looked at ")}
    assert "journal" in looked
    if host.shell("command -v nginx || true"):
        assert "/var/log/nginx/error.log" in looked
    assert f"journal: {marker}" in lines
    hits = [line for line in lines if not line.startswith("looked at ") and not line.endswith(f": {marker}")]
    assert hits == []


def test_nothing_that_a_playbook_or_a_simulated_service_said_has_a_secret() -> None:
    secrets = {one for name, address in EFFECTS["hosts"].items() for one in secrets_of(Host(name, address))}
    secrets |= {line for line in (STATE / "id_ed25519").read_text().splitlines() if len(line) >= 32 and " " not in line}
    files = sorted(STATE.glob("*.log"))
    texts = {file.name: file.read_text("utf-8", "replace") for file in files}
    assert any("PLAY RECAP" in text for text in texts.values())
    assert [(name, one) for name, text in texts.items() for one in secrets if one in text] == []
