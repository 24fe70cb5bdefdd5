"""What stands between a download and the package manager: the role signed_package, with real keys and signatures."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

ROLES = Path(__file__).parents[2] / "roles"
VERIFY = ROLES / "signed_package/files/verify.sh"

pytestmark = pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not installed (apt-get install gpg)")


@dataclass(frozen=True)
class Signer:
    """Somebody with a key of their own."""

    home: Path
    fingerprint: str

    @property
    def public(self) -> Path:
        return self.home / "public.asc"

    def sign(self, package: Path) -> Path:
        signature = self.home / f"{package.name}.sig"
        gpg(self.home, "--yes", "--output", str(signature), "--detach-sign", str(package))
        return signature


def gpg(home: Path, *arguments: str) -> str:
    command = ["gpg", "--homedir", str(home), "--batch", "--pinentry-mode", "loopback", "--passphrase", "", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def signer(home: Path, *, expires: str = "1y", born: str = "") -> Signer:
    home.mkdir(mode=0o700)
    at = ["--faked-system-time", born] if born else []
    gpg(home, *at, "--quick-generate-key", f"{home.name} <{home.name}@example.test>", "ed25519", "sign", expires)
    (home / "public.asc").write_text(gpg(home, "--armor", "--export"))
    found = re.search(r"^fpr:+([0-9A-F]{40}):", gpg(home, "--list-keys", "--with-colons"), re.MULTILINE)
    assert found
    return Signer(home, found[1])


@pytest.fixture
def short(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Homes of keys, on a short path: gpg's agent listens on a socket in one, and ends with the test."""
    homes = tmp_path_factory.mktemp("k")
    yield homes
    for home in homes.iterdir():
        if home.is_dir():
            subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=True)


@pytest.fixture
def maker(short: Path) -> Signer:
    return signer(short / "maker")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "package.deb"
    path.write_bytes(b"what was built")
    return path


def verify(key: Path, signature: Path, package: Path, *pinned: str) -> tuple[int, str]:
    command = [str(VERIFY), str(key), str(signature), str(package), *pinned]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_what_its_maker_signed_is_taken(maker: Signer, package: Path) -> None:
    code, said = verify(maker.public, maker.sign(package), package, "0" * 40, maker.fingerprint)
    assert (code, said.strip()) == (0, f"signed by {maker.fingerprint}")


def test_a_changed_package_is_refused(maker: Signer, package: Path) -> None:
    signature = maker.sign(package)
    package.write_bytes(b"what was changed")
    code, said = verify(maker.public, signature, package, maker.fingerprint)
    assert code == 1
    assert "not the one that was signed" in said


def test_a_key_that_is_not_pinned_is_refused(maker: Signer, package: Path) -> None:
    code, said = verify(maker.public, maker.sign(package), package, "0" * 40)
    assert code == 1
    assert f"the key {maker.fingerprint} is not pinned" in said


def test_a_stranger_s_signature_is_refused(maker: Signer, short: Path, package: Path) -> None:
    stranger = signer(short / "stranger")
    code, said = verify(maker.public, stranger.sign(package), package, maker.fingerprint)
    assert code == 1
    assert "signed by another key" in said


def test_a_stranger_s_key_beside_the_pinned_one_is_refused(maker: Signer, short: Path, package: Path) -> None:
    stranger = signer(short / "stranger")
    both = short / "both.asc"
    both.write_text(maker.public.read_text() + stranger.public.read_text())
    code, said = verify(both, stranger.sign(package), package, maker.fingerprint)
    assert code == 1
    assert f"the key {stranger.fingerprint} is not pinned" in said


def test_an_expired_key_is_refused(short: Path, package: Path) -> None:
    past = signer(short / "past", expires="20250201T000000", born="20250101T000000")
    signature = past.home / "sig"
    gpg(past.home, "--faked-system-time", "20250102T000000", "--output", str(signature), "--detach-sign", str(package))
    code, said = verify(past.public, signature, package, past.fingerprint)
    assert code == 1
    assert "the key has expired" in said


@pytest.mark.parametrize("what", ["key", "signature"])
def test_rubbish_is_refused(maker: Signer, package: Path, tmp_path: Path, what: str) -> None:
    rubbish = tmp_path / "rubbish"
    rubbish.write_text("<html>404</html>")
    signature = maker.sign(package)
    key = rubbish if what == "key" else maker.public
    code, said = verify(key, rubbish if what == "signature" else signature, package, maker.fingerprint)
    assert code == 1
    assert said.strip()


def test_the_key_of_the_ssm_agent_is_the_one_that_is_pinned(tmp_path: Path) -> None:
    defaults = yaml.safe_load((ROLES / "ssm_agent/defaults/main.yml").read_text())
    said = gpg(tmp_path, "--show-keys", "--with-colons", str(ROLES / "ssm_agent/files/amazon-ssm-agent.asc"))
    assert re.findall(r"^fpr:+([0-9A-F]{40}):", said, re.MULTILINE) == defaults["ssm_agent_key_fingerprints"]
    expires = re.search(r"^pub:(?:[^:]*:){5}(\d+):", said, re.MULTILINE)
    assert expires
    day = datetime.fromtimestamp(int(expires[1]), UTC).date().isoformat()
    assert day == defaults["ssm_agent_key_expires"]
