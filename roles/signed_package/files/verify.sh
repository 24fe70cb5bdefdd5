#!/usr/bin/env bash
# Verifies a detached signature, and trusts nothing but the fingerprints that are given.
#   verify.sh KEY SIGNATURE PACKAGE FINGERPRINT...
set -euo pipefail
key=$1 signature=$2 package=$3
shift 3
pinned=" $* "

refuse() {
  echo "$*"
  exit 1
}

home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
gpg() { command gpg --homedir "$home" --batch --no-tty --no-options --no-autostart --trust-model always "$@" 2>>"$home/said"; }

gpg --import "$key" || refuse "the key cannot be read: $(tail -n 2 "$home/said" | tr '\n' ' ')"
# Not one key beside those that are pinned: whoever put it into the file may have put more.
keys=$(gpg --with-colons --list-keys | awk -F: '$1 == "pub" { primary = 1 } $1 == "fpr" && primary { print $10; primary = 0 }')
[ -n "$keys" ] || refuse "the file of the key holds none"
for fingerprint in $keys; do
  case $pinned in
  *" $fingerprint "*) ;;
  *) refuse "the key $fingerprint is not pinned (pinned:${pinned% })" ;;
  esac
done

# GOODSIG is said of a good signature by a key that is neither expired nor revoked, VALIDSIG ends with the primary key.
status=$(gpg --status-fd 1 --verify "$signature" "$package" || true)
case $status in
*'[GNUPG:] EXPKEYSIG '* | *'[GNUPG:] KEYEXPIRED '*) refuse "the key has expired: pin the one that its maker signs with now" ;;
*'[GNUPG:] REVKEYSIG '*) refuse "the key was revoked" ;;
*'[GNUPG:] BADSIG '*) refuse "the package is not the one that was signed" ;;
*'[GNUPG:] ERRSIG '* | *'[GNUPG:] NO_PUBKEY '*) refuse "it was signed by another key" ;;
esac
signer=$(awk '$1 == "[GNUPG:]" && $2 == "VALIDSIG" { print $NF }' <<<"$status")
grep -q '^\[GNUPG:\] GOODSIG ' <<<"$status" || refuse "there is no good signature: $(tail -n 2 "$home/said" | tr '\n' ' ')"
[ "$(wc -w <<<"$signer")" = 1 ] || refuse "there must be exactly one signature"
case $pinned in
*" $signer "*) echo "signed by $signer" ;;
*) refuse "it was signed by $signer, which is not pinned" ;;
esac
