#!/bin/sh
# Makes all that is one user's another's: workbenches, what others share with them, and volumes, the kept ones too.
# For the way from user_id to an identity provider, whose users are subjects: deploy/rename-user.sh alice 5f1c7a52-…
# Stop the workbenches first: a Pod that runs keeps the old name in WORKBENCH_OWNER until the next start. Safe to repeat.
set -eu
[ $# -eq 2 ] || { echo "usage: $0 OLD NEW" >&2; exit 2; }
case "$1$2" in *[\"\\]*) echo "$0: a name with a quote or a backslash must be renamed by hand" >&2; exit 2 ;; esac
old=$1 new=$2 namespace=${WORKBENCH_NAMESPACE:-workbenches}

k() { kubectl -n "$namespace" "$@"; }

k get workbenches -o go-template='{{range .items}}{{if eq .spec.owner "'"$old"'"}}{{.metadata.name}}{{"\n"}}{{end}}{{end}}' |
  while read -r name; do
    k patch workbench "$name" --type=merge -p '{"spec":{"owner":"'"$new"'"}}'
  done

k get workbenches -o go-template='{{range $w := .items}}{{range $i, $s := .spec.shares}}{{if eq $s.user "'"$old"'"}}{{$w.metadata.name}} {{$i}}{{"\n"}}{{end}}{{end}}{{end}}' |
  while read -r name index; do
    path=/spec/shares/$index/user
    k patch workbench "$name" --type=json -p '[{"op":"test","path":"'"$path"'","value":"'"$old"'"},{"op":"replace","path":"'"$path"'","value":"'"$new"'"}]'
  done

# The controller does this for those that a workbench has; the others have been kept.
k get persistentvolumeclaims -l app.kubernetes.io/managed-by=workbench-controller \
  -o go-template='{{range .items}}{{if eq (index .metadata.annotations "workbench.h1st.ai/owner") "'"$old"'"}}{{.metadata.name}}{{"\n"}}{{end}}{{end}}' |
  while read -r name; do
    k annotate --overwrite persistentvolumeclaim "$name" "workbench.h1st.ai/owner=$new"
  done
