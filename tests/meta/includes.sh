#!/usr/bin/env bash
# includes.sh: the dependency order of the folders, read from the includes. Fails on an arrow that runs back, on an include that does
# not start at the repository root, and on a library's header outside the folder that wraps it.
set -euo pipefail
shopt -s globstar nullglob

# What each folder may include besides itself: folder, then a pattern of folders.
rules='core/base    -
core/data    core/base
core/tensor  core/base
core/model   core/(base|data|tensor)
core/train   core/(base|data|tensor|model)
sim          core/(base|data)
experiments  (core|sim)'
# Libraries behind one folder: header, folder.
walls='dnnl     core/tensor
mujoco   sim
hdf5     core/data
toml\+\+ core/base
spng     core/data
jpeglib  core/data
EGL      sim/render
libwebsockets experiments/wire
msgpack  experiments/wire'

check() { # of the tree in the current folder; prints each broken rule
  local folder may file line header where bad=0
  while read -r folder may; do
    for file in "$folder"/**/*.[ch] "$folder"/**/*.cpp; do
      while read -r line; do
        if ! [[ $line =~ ^($folder|$may)/ ]]; then
          echo "$file: includes $line; $folder may include $folder and $may"
          bad=1
        elif [ ! -e "$line" ]; then
          echo "$file: includes $line, which is not a path from the repository root"
          bad=1
        fi
      done < <(sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"([^"]*)".*/\1/p' "$file")
    done
  done <<<"$rules"
  while read -r header where; do
    for file in {core,sim,experiments}/**/*.[ch] {core,sim,experiments}/**/*.cpp; do
      if grep -qE "^[[:space:]]*#[[:space:]]*include[[:space:]]*<$header" "$file" && [[ $file != "$where"/* ]]; then
        echo "$file: includes <$header...>, which belongs to $where"
        bad=1
      fi
    done
  done <<<"$walls"
  return $bad
}

# the check itself must be able to fail
planted=$(mktemp -d)
trap 'rm -rf "$planted"' EXIT
(
  cd "$planted"
  mkdir -p core/base core/data core/model sim experiments/cli
  echo '#include "core/data/x.h"' >core/base/up.c
  echo '#include <dnnl.h>' >core/model/wall.c
  echo '#include "core/model/x.h"' >sim/across.c
  echo '#include <msgpack.h>' >experiments/cli/wall.c
  [ "$(check | wc -l)" -eq 4 ] || { echo "the check did not see four planted faults"; exit 1; }
)
cd "$VLB_TEST_ROOT"
check
