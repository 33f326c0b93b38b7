#!/bin/sh
# Makes all that is one user's another's: workbenches, what others share with them, and volumes, the kept ones too.
# For the way from user_id to an identity provider, whose users are subjects: deploy/rename-user.sh alice 5f1c7a52-…
# Stop the workbenches first: a Pod that runs keeps the old name in WORKBENCH_OWNER until the next start. Safe to repeat.
set -eu
[ $# -eq 2 ] || { echo "usage: $0 OLD NEW" >&2; exit 2; }
case "$1$2" in *[\"\\]*) echo "$0: a name with a quote or a backslash must be renamed by hand" >&2; exit 2 ;; esac
old=$1 new=$2 namespace=${WORKBENCH_NAMESPACE:-workbenches}

k() { kubectl -n "$namespace" "$@"; }
# Into a variable first: within a pipe the failure of the first command would be nobody's.
each() { printf '%s\n' "$1" | while IFS= read -r line; do [ -z "$line" ] || "$2" $line; done; }

owned=$(k get workbenches -o go-template='{{range .items}}{{if eq .spec.owner "'"$old"'"}}{{.metadata.name}}{{"\n"}}{{end}}{{end}}')
own() { k patch workbench "$1" --type=merge -p '{"spec":{"owner":"'"$new"'"}}'; }
each "$owned" own

# With how many shares each has for the new name: where there is one already, the old one only goes.
shared=$(k get workbenches -o go-template='{{range $w := .items}}{{$has := 0}}{{range .spec.shares}}{{if eq .user "'"$new"'"}}{{$has = 1}}{{end}}{{end}}{{range $i, $s := .spec.shares}}{{if eq $s.user "'"$old"'"}}{{$w.metadata.name}} {{$i}} {{$has}}{{"\n"}}{{end}}{{end}}{{end}}')
share() {
  path=/spec/shares/$2
  seen='{"op":"test","path":"'"$path/user"'","value":"'"$old"'"}'
  change='{"op":"replace","path":"'"$path/user"'","value":"'"$new"'"}'
  [ "$3" = 0 ] || change='{"op":"remove","path":"'"$path"'"}'
  k patch workbench "$1" --type=json -p "[$seen,$change]"
}
each "$shared" share

# The controller does this for those that a workbench has; the others have been kept.
kept=$(k get persistentvolumeclaims -l app.kubernetes.io/managed-by=workbench-controller \
  -o go-template='{{range .items}}{{if .metadata.annotations}}{{if eq (index .metadata.annotations "workbench.h1st.ai/owner") "'"$old"'"}}{{.metadata.name}}{{"\n"}}{{end}}{{end}}{{end}}')
keep() { k annotate --overwrite persistentvolumeclaim "$1" "workbench.h1st.ai/owner=$new"; }
each "$kept" keep
