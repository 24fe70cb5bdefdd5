#!/usr/bin/env bash
# Registers this host with Systems Manager: register.sh AGENT ACTIVATION-ID REGION, with the activation's code on standard
# input. The agent takes the code as an argument only, and any user of the host may read the arguments of a process; so as
# long as it runs, /proc shows every user but root nothing but their own processes.
set -euo pipefail
agent=$1 id=$2 region=$3
IFS= read -r code || [ -n "$code" ]

before=0
case ,$(findmnt --noheadings --output OPTIONS --mountpoint /proc), in
*,hidepid=*) before=$(findmnt --noheadings --output OPTIONS --mountpoint /proc | sed 's/.*hidepid=\([^,]*\).*/\1/') ;;
esac
trap 'mount -o "remount,hidepid=$before" /proc' EXIT
mount -o remount,hidepid=2 /proc
"$agent" -register -y -code "$code" -id "$id" -region "$region"
