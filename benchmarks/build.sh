#!/usr/bin/env bash
# Builds the benchmarks into benchmarks/target/app and prints the java that runs them.
set -euo pipefail

root=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
say() { printf 'benchmarks: %s\n' "$*" >&2; }

# shellcheck source=cli/launcher/build.sh
. "$root/cli/launcher/build.sh"

mkdir -p "$root/build"
require_tools
run_maven package -q -pl benchmarks -am -Dmaven.test.skip=true -DskipTests >"$log" 2>&1 || {
    tail -n 25 "$log" >&2
    say "the build failed; the whole log is $log"
    say "$(remedy)"
    exit 1
}
echo "$java_for_build/bin/java"
