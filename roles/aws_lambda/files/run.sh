#!/bin/sh
# The function's handler: Lambda Web Adapter starts it and passes the calls on to the port.
set -eu
here=$(dirname "$0")
# As python -m would put the working directory first, which on Lambda is this one anyway.
export PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}"
exec "${PYTHON:-python3}" -m aws_finops_mcp serve
