#!/usr/bin/env bash
# The playbooks on fresh hosts, by molecule: bin/test hosts. Whatever happens, no host is left behind.
# Arguments go to `molecule test` (for one scenario: --scenario-name site; to look at the hosts: --destroy never).
set -euo pipefail
cd "$(dirname "$0")/../.."
down() { tests/hosts/hosts down --state "$PWD/build/molecule" --network aws-finops-mcp-molecule; }
down # what an interrupted run left: the scenarios start from bare hosts
[[ " $* " == *" --destroy never "* || " $* " == *" --destroy=never "* ]] || trap down EXIT
[ "$#" -gt 0 ] || set -- --all
PATH=$PWD/.venv/bin:$PATH molecule test --no-command-borders "$@"
