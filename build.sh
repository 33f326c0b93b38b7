#!/usr/bin/env bash
# Builds the controller's image, and pushes it with PUSH=yes. All by environment; see --help.
set -euo pipefail
cd "$(dirname "$0")"

usage() {
  cat <<'END'
./build.sh              build the controller's image
PUSH=yes ./build.sh     build and push it

  IMAGE_NAME   workbench-controller   name, with the registry if it is to be pushed
  IMAGE_TAG    latest
  CONTEXT      .                      the folder that is built
  BUILDER      docker, podman or buildah: the first that really works
  BUILD_IMAGE, BASE_IMAGE             bases of the two stages; see Dockerfile
  BUILD_FLAGS                         more flags for the builder's build
  PUSH_FLAGS                          more flags for its push
  DRY_RUN=yes                         say what would be run, and run nothing
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
yes_or_no PUSH
yes_or_no DRY_RUN

# A client without an engine is on many machines, so each is asked whether it works.
works() {
  case "$1" in
    docker | podman) command -v "$1" >/dev/null && "$1" info >/dev/null 2>&1 ;;
    buildah) command -v buildah >/dev/null && buildah info >/dev/null 2>&1 ;;
    *) return 1 ;;
  esac
}

pick() {
  local candidate
  for candidate in docker podman buildah; do
    if works "$candidate"; then echo "$candidate"; return; fi
  done
  echo 'No image builder works here: install docker, podman or buildah, or name one with BUILDER.' >&2
  return 1
}

run() {
  echo "+ $*"
  [ "${DRY_RUN:-}" = yes ] || "$@"
}

builder=${BUILDER:-$(pick)}
arguments=()
for argument in BUILD_IMAGE BASE_IMAGE; do
  [ -z "${!argument:-}" ] || arguments+=(--build-arg "$argument=${!argument}")
done
# (macOS' bash 3.2 takes an empty list for an unset one, hence the + below.)
# Flags are words: a site writes several of them into one variable.
# shellcheck disable=SC2206
arguments+=(${BUILD_FLAGS:-})

run "$builder" build ${arguments[@]+"${arguments[@]}"} -f "${CONTEXT:-.}/Dockerfile" -t "$image" "${CONTEXT:-.}"
# shellcheck disable=SC2086
[ "${PUSH:-}" != yes ] || run "$builder" push ${PUSH_FLAGS:-} "$image"
