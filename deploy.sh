#!/usr/bin/env bash
# Installs the controller on the cluster that kubectl speaks to. All by environment; see --help.
set -euo pipefail
cd "$(dirname "$0")"

usage() {
  cat <<'END'
./deploy.sh                install, or upgrade, everything
DRY_RUN=yes ./deploy.sh    print the manifests, and change nothing

  IMAGE_NAME   workbench-controller   the image that build.sh has pushed
  IMAGE_TAG    latest
  KUBE_CONTEXT                        kubectl's context; default: the current one
  KUBECTL      kubectl
  TIMEOUT      180s                   how long to wait for the rollout

Settings are in deploy/controller/settings.env. To uninstall, and leave every workbench alone:
  kubectl delete -k deploy/controller
END
}

case "${1:-}" in
  -h | --help) usage; exit 0 ;;
  '') ;;
  *) echo "There is no argument \"$1\"." >&2; usage >&2; exit 2 ;;
esac

refuse() {
  echo "$1" >&2
  exit 2
}

# "true" is no answer: what was meant must not be guessed.
yes_or_no() {
  case "${!1:-}" in
    yes | no | '') ;;
    *) refuse "$1 is yes or no, not \"${!1}\"." ;;
  esac
}

name=${IMAGE_NAME:-workbench-controller}
tag=${IMAGE_TAG:-latest}
part='[a-z0-9]+([._-]+[a-z0-9]+)*'
[[ $name =~ ^([A-Za-z0-9.-]+(:[0-9]+)?/)?$part(/$part)*$ ]] ||
  refuse "IMAGE_NAME is a name without a tag or digest, such as registry.example/workbench-controller, not \"$name\"."
[[ $tag =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$ ]] || refuse "IMAGE_TAG is a tag such as v1, not \"$tag\"."
image="$name:$tag"
yes_or_no DRY_RUN

# Words, such as "k3s kubectl".
read -ra kubectl <<<"${KUBECTL:-kubectl}"
[ -z "${KUBE_CONTEXT:-}" ] || kubectl+=(--context "$KUBE_CONTEXT")

manifests() {
  # The only image in there; "|" cannot be part of a reference.
  "${kubectl[@]}" kustomize deploy | sed "s|image: workbench-controller\$|image: $image|"
}

if [ "${DRY_RUN:-}" = yes ]; then
  manifests
  exit 0
fi
applied=$(manifests | "${kubectl[@]}" apply -f -)
echo "$applied"
# Nothing new in the manifests, but perhaps another image was pushed under the same tag.
if grep -q '^deployment.apps/workbench-controller unchanged' <<<"$applied"; then
  "${kubectl[@]}" rollout restart -n workbench-system deployment/workbench-controller
fi
"${kubectl[@]}" rollout status -n workbench-system deployment/workbench-controller --timeout "${TIMEOUT:-180s}"
