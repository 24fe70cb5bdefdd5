#!/usr/bin/env bash
# bin/demo as a newcomer runs it: from nothing, once more, and down again; and what it says when it is asked wrongly.
set -euo pipefail
cd "$(dirname "$0")/../.."
export CONTAINERS_CONF=$PWD/tests/hosts/containers.conf
url=https://finops.demo.test
log=$(mktemp -d)
passed=0

fails() {
  echo "FAILED: $*" >&2
  tail -n 40 "$log"/* >&2
  exit 1
}
ok() {
  echo "ok: $*"
  passed=$((passed + 1))
}
finish() {
  local code=$?
  bin/demo --down >/dev/null 2>&1 || true
  rm -rf "$log"
  exit "$code"
}
ask() { # <file> <curl's options...>
  local to=$1
  shift
  curl --silent --show-error --noproxy '*' --cacert .demo/root.pem --user "demo:$(cat .demo/password)" --output "$to" "$@"
}
trap finish EXIT
bin/demo --down >/dev/null

# --- asked wrongly -------------------------------------------------------------------------------------------------
bin/demo --everything >"$log/unknown" 2>&1 && fails "an unknown argument is accepted"
grep -q "unknown argument '--everything'; see bin/demo --help" "$log/unknown" || fails "an unknown argument is not named"
ok "an unknown argument is named"

plain=$(mktemp -d)
chmod 0755 "$plain"
cp -r bin "$plain/bin"
setpriv --reuid 65534 --regid 65534 --clear-groups "$plain/bin/demo" >"$log/root" 2>&1 && fails "it runs without root"
grep -q "needs root.*bin/demo --local" "$log/root" || fails "without root it does not point to --local"
rm -rf "$plain"
ok "without root it points to --local"

# --- from nothing --------------------------------------------------------------------------------------------------
mkdir -p .demo && touch .demo/left-by-an-interrupted-run
bin/demo >"$log/first" 2>&1 || fails "the first run"
grep -q "an earlier run was not finished: removing what it left" "$log/first" || fails "an unfinished run is not noticed"
ok "an unfinished earlier run is removed"
for shown in "Savings: " pricing-engine-benchmark "at list prices" "Why was last month" "From the bill's own rows" "$url/mcp" SIMULATED '"mcpServers"' "$(cat .demo/password)"; do
  grep -qF -- "$shown" "$log/first" || fails "the first run does not show $shown"
done
ok "it shows findings, total, why costs changed, the bill's rows, address, password and a configuration"
[ "$(head -c 4 .demo/why.png | tail -c 3)" = PNG ] || fails "there is no picture of why costs changed"
ok "it keeps a picture of why costs changed"

ask "$log/health" "$url/health" || fails "health over HTTPS"
grep -q '"status":"healthy"' "$log/health" || fails "health over HTTPS is another"
ask "$log/answer" --header 'Content-Type: application/json' "$url/mcp" \
  --data '{"tool": "find_unused_elastic_ips", "arguments": {"region_name": "us-east-1"}}' || fails "a call over HTTPS"
grep -q "5 of 21 Elastic IP addresses" "$log/answer" || fails "the answer over HTTPS is another"
ok "curl gets the answer over HTTPS with the password"

# --- once more -----------------------------------------------------------------------------------------------------
password=$(cat .demo/password)
bin/demo >"$log/second" 2>&1 || fails "the second run"
grep -q "finops.demo.test.*changed=0 .*failed=0" "$log/second" || fails "the second run changes something"
[ "$(cat .demo/password)" = "$password" ] || fails "the second run has another password"
ok "a second run changes nothing"

# --- down again ----------------------------------------------------------------------------------------------------
bin/demo --down >"$log/down" 2>&1 || fails "taking it down"
[ ! -e .demo ] || fails ".demo is still there"
! grep -q finops.demo.test /etc/hosts || fails "/etc/hosts still has its name"
! podman network exists aws-finops-mcp-demo || fails "its network is still there"
[ -z "$(podman ps --all --quiet --filter label=aws-finops-mcp.network=aws-finops-mcp-demo)" ] || fails "its host is still there"
! ss -Hltn "src 10.99.7.1" | grep -q . || fails "something still listens for it"
bin/demo --down >"$log/down" 2>&1 || fails "taking it down twice"
ok "--down leaves nothing, and may be said twice"
echo "$passed passed, 0 failed"
