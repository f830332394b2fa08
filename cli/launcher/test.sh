#!/usr/bin/env bash
# Tests the launcher on a copy of it in a folder with a space in its name, with fakes for every tool that it calls: no
# real build, no real JVM, nothing installed. Run by Maven in the verify phase of cli.
set -uo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
home=$temp/'a home'
copy=$temp/'a folder'/repo
fakes=$temp/fakes
failures=0 checks=0

# check NAME EXPECTED ACTUAL: equal; contains NAME PART TEXT
check() {
    checks=$((checks + 1))
    [[ $2 == "$3" ]] && return
    failures=$((failures + 1))
    printf 'FAILED %s\n  expected: %s\n  found:    %s\n' "$1" "$2" "$3" >&2
}
contains() {
    checks=$((checks + 1))
    [[ $3 == *"$2"* ]] && return
    failures=$((failures + 1))
    printf 'FAILED %s\n  expected somewhere: %s\n  found: %s\n' "$1" "$2" "$3" >&2
}

fake() {
    printf '#!%s\n' "$BASH" >"$1"
    cat >>"$1"
    chmod +x "$1"
}

make_jdk() { # FOLDER VERSION
    mkdir -p "$1/bin"
    printf 'JAVA_VERSION="%s"\n' "$2" >"$1/release"
    fake "$1/bin/javac" <<<'exit 0'
    fake "$1/bin/java" <<'JAVA'
for argument; do
    case $argument in
    -XX:ArchiveClassesAtExit=*) exit 0 ;;
    esac
done
while [[ $# -gt 0 && $1 != -jar ]]; do shift; done
[[ -f $2 && -f $CGAN_NATIVE_DIR/libcgan.so ]] || exit 99
shift 2
printf 'java'
printf ' <%s>' "$@"
printf '\n'
if [[ ${1-} == exit ]]; then exit "$2"; fi
if [[ ${1-} == wait ]]; then
    interrupts=0
    trap 'interrupts=$((interrupts + 1))' INT
    echo ready >"$2"
    for ((i = 0; i < 10; i++)); do sleep 0.1; done
    echo "interrupts $interrupts"
    exit 130
fi
JAVA
}

set_up() {
    rm -rf "$copy" "$fakes" "$home" "$temp/system"
    mkdir -p "$copy/cli" "$copy/native/src" "$copy/cli/src/main" "$fakes" "$home"
    cp "$repository/cgan-cli" "$copy/cgan-cli"
    cp -r "$repository/cli/launcher" "$copy/cli/launcher"
    touch "$copy/pom.xml" "$copy/native/src/a.cpp" "$copy/cli/src/main/Main.java"
    local tool
    for tool in awk basename cat cksum cp cut dirname find flock grep mkdir mv readlink rm sed sleep sort tail tee touch uname; do
        ln -s "$(command -v $tool)" "$fakes/$tool"
    done
    fake "$fakes/id" <<<'echo 1000'
    fake "$fakes/sudo" <<<'exit 1'
    fake "$fakes/c++" <<<'exit 0'
    fake "$fakes/cmake" <<<'exit 0'
    fake "$fakes/make" <<<'exit 0'
    fake "$fakes/mvn" <<'MVN'
echo "mvn $* JAVA_HOME=$JAVA_HOME" >>../maven-calls
mkdir -p cli/target/app bindings/target/classes/native/linux-test
echo jar >cli/target/app/cgan-cli.jar
echo library >bindings/target/classes/native/linux-test/libcgan.so
if [[ -e interrupted ]]; then exit 130; fi # as Maven does on Ctrl-C
if [[ -e fail ]]; then
    echo "Could not transfer artifact x:y:1 $(<fail)"
    exit 1
fi
if [[ $* == *verify* ]]; then
    echo '100% tests passed, 0 tests failed out of 3'
    echo '[INFO] Tests run: 5, Failures: 0, Errors: 0, Skipped: 0'
    [[ ! -e fail-tests ]]
fi
MVN
    make_jdk "$temp/system/opt/jdk-24" 24.0.1
    make_jdk "$temp/system/usr/lib/jvm/old" 17.0.2
    : >"$copy/../maven-calls"
}

run() {
    out=$(cd / && env -i HOME="$home" PATH="$fakes" CGAN_SYSTEM_ROOT="$temp/system" JAVA_HOME="${java_home-}" \
        "$BASH" "${launcher:-$copy/cgan-cli}" "$@" 2>"$temp/err" </dev/null)
    code=$?
    err=$(<"$temp/err")
    builds=$(grep -c 'mvn' "$copy/../maven-calls")
}

builds_once_then_only_runs() {
    set_up
    run train --out 'my run' ''
    check 'first run: output' 'java <train> <--out> <my run> <>' "$out"
    check 'first run: code' 0 "$code"
    contains 'first run: progress' 'cgan-cli: building; log in' "$err"
    contains 'first run: JDK' "JAVA_HOME=$temp/system/opt/jdk-24" "$(<"$copy/../maven-calls")"
    run models
    check 'second run: builds' 1 "$builds"
    check 'second run: silent' '' "$err"
    run exit 2
    check 'exit code 2' 2 "$code"
    run exit 130
    check 'exit code 130' 130 "$code"
}

works_through_links() {
    set_up
    mkdir -p "$temp/bin dir"
    ln -sf '../a folder/repo/cgan-cli' "$temp/bin dir/inner"
    ln -sf "$temp/bin dir/inner" "$temp/bin dir/outer"
    launcher="$temp/bin dir/outer" run models
    check 'link: output' 'java <models>' "$out"
}

notices_changes() {
    set_up
    run models
    echo x >>"$copy/native/src/a.cpp" && run models
    check 'edited file' 2 "$builds"
    touch "$copy/cli/src/main/New.java" && run models
    check 'new file' 3 "$builds"
    rm "$copy/cli/src/main/New.java" && run models
    check 'deleted file' 4 "$builds"
    mv "$copy/native/src/a.cpp" "$copy/native/src/b.cpp" && run models
    check 'renamed file' 5 "$builds"
    touch -d '2001-01-01' "$copy/native/src/b.cpp" && run models
    check 'file with an old time' 6 "$builds"
    mkdir -p "$copy/native/tests" && touch "$copy/native/tests/t.cpp" "$copy/README.md" && run models
    check 'files that are not built' 6 "$builds"
    rm -rf "$temp/system/opt/jdk-24" && make_jdk "$temp/system/opt/jdk-25" 25 && run models
    check 'JDK gone' 7 "$builds"
    check 'old builds removed' '6 7 began current lock shown' "$(cd "$copy/build/app" && echo *)"
}

a_failed_build_does_not_count() {
    set_up
    touch "$copy/fail"
    run models
    check 'failed build: code' 1 "$code"
    contains 'failed build: tail' 'Could not transfer artifact' "$err"
    contains 'failed build: log' "the whole log is $copy/build/build.log" "$err"
    contains 'failed build: remedy' 'check the network' "$err"
    echo ': PKIX path building failed' >"$copy/fail" && run models
    contains 'failed build: certificate' 'keytool'"' -importcert -cacerts" "$err"
    rm "$copy/fail"
    touch "$copy/interrupted" && run models
    check 'interrupted build: code' 130 "$code"
    contains 'interrupted build' 'cgan-cli: interrupted' "$err"
    rm "$copy/interrupted"
    run models
    check 'repaired build' 'java <models>' "$out"
}

two_at_once_build_once() {
    set_up
    local first second
    (run models && echo "$out" >"$temp/first") &
    first=$!
    (run models && echo "$out" >"$temp/second") &
    second=$!
    wait "$first" "$second"
    check 'two at once: first' 'java <models>' "$(<"$temp/first")"
    check 'two at once: second' 'java <models>' "$(<"$temp/second")"
    check 'two at once: builds' 1 "$(grep -c mvn "$copy/../maven-calls")"
}

chooses_a_jdk() {
    set_up
    make_jdk "$home/.sdkman/candidates/java/26.ea" 26-ea
    run models
    contains 'newest' "JAVA_HOME=$home/.sdkman" "$(<"$copy/../maven-calls")"
    set_up
    make_jdk "$temp/mine" 22.0.2
    java_home=$temp/mine run models
    contains 'JAVA_HOME' "JAVA_HOME=$temp/mine" "$(<"$copy/../maven-calls")"
    set_up
    java_home=$temp/system/usr/lib/jvm/old run models
    contains 'JAVA_HOME too old' "JAVA_HOME=$temp/system/opt/jdk-24" "$(<"$copy/../maven-calls")"
    set_up
    make_jdk "$temp/path" 23
    ln -s "$temp/path/bin/javac" "$fakes/javac"
    run models
    contains 'on the PATH' "JAVA_HOME=$temp/path" "$(<"$copy/../maven-calls")"
}

names_what_is_missing() {
    set_up
    rm -r "$temp/system/opt/jdk-24" "$fakes"/{c++,cmake,make}
    run models
    check 'nothing there: code' 1 "$code"
    check 'nothing there: message' "cgan-cli: missing: a JDK >= 22 (found: 17 in $(readlink -f "$temp/system/usr/lib/jvm/old")), a C++20 compiler, CMake, Make or Ninja
Install them with the package manager of this system (JDK: https://adoptium.net), then run the same command again." "$err"

    fake "$fakes/apt-get" <<<'exit 0'
    fake "$fakes/apt-cache" <<<'[[ $2 == openjdk-25-jdk-headless ]] && echo "  Candidate: 25.0.1"'
    run models
    contains 'apt: command' '  sudo apt-get install -y --no-install-recommends openjdk-25-jdk-headless g++ cmake make' "$err"

    fake "$fakes/apt-cache" <<<'echo "  Candidate: (none)"'
    run models
    contains 'apt without a JDK: repository' 'sudo tee /etc/apt/sources.list.d/adoptium.list' "$err"
    contains 'apt without a JDK: command' '  sudo apt-get install -y --no-install-recommends temurin-25-jdk g++ cmake make' "$err"
    contains 'apt without a JDK: other ways' '"sdk install java 25-tem"' "$err"
    rm "$fakes/sudo" && run models
    contains 'without sudo: who' 'Run this as root (the JDK comes from the Adoptium project)' "$err"
    contains 'without sudo: command' $'\n  apt-get install -y --no-install-recommends temurin-25-jdk g++ cmake make' "$err"

    rm "$fakes"/apt-*
    fake "$fakes/sudo" <<<'exit 1'
    fake "$fakes/dnf" <<<'exit 0'
    run models
    contains 'dnf' '  sudo dnf install -y java-latest-openjdk-devel gcc-c++ cmake make' "$err"
}

installs_what_is_missing_as_root() {
    set_up
    rm "$fakes/cmake"
    fake "$fakes/id" <<<'echo 0'
    fake "$fakes/apt-cache" <<<'exit 0'
    fake "$fakes/apt-get" <<APT
echo "apt-get \$*" >>"$temp/apt-calls"
if [[ \$1 == install ]]; then cp "$fakes/make" "$fakes/cmake"; fi
APT
    run models
    check 'installs: output' 'java <models>' "$out"
    check 'installs: calls' 'apt-get update
apt-get install -y --no-install-recommends cmake' "$(<"$temp/apt-calls")"

    # An archive without a new JDK: the rest is installed all the same, and only the JDK is asked for.
    rm -r "$temp/system/opt/jdk-24" "$fakes/cmake" "$temp/apt-calls"
    run models
    check 'installs the rest: calls' 'apt-get update
apt-get install -y --no-install-recommends cmake' "$(<"$temp/apt-calls")"
    check 'installs the rest: code' 1 "$code"
    contains 'installs the rest: message' 'cgan-cli: missing: a JDK >= 22 (found: ' "$err"
    contains 'installs the rest: command' $'\n  apt-get install -y --no-install-recommends temurin-25-jdk\n' "$err"
}

verify_runs_the_tests() {
    set_up
    run verify
    check 'verify without its libraries: code' 1 "$code"
    contains 'verify without its libraries' 'cgan-cli: missing: GoogleTest, Boost.Context' "$err"
    mkdir -p "$temp/system/usr/include/gtest" && touch "$temp/system/usr/include/gtest/gtest.h"
    run verify
    contains 'verify without Boost' 'cgan-cli: missing: Boost.Context' "$err"
    has_boost
    run verify
    check 'verify: code' 0 "$code"
    contains 'verify: closing lines' $'\n100% tests passed, 0 tests failed out of 3\nTests run: 5, Failures: 0, Errors: 0, Skipped: 0' "$out"
    contains 'verify: oneDNN' '-q -pl bindings dependency:unpack@onednn' "$(<"$copy/../maven-calls")"
    touch "$copy/fail-tests"
    run verify -pl cli
    check 'verify: failing tests' 1 "$code"
    contains 'verify: arguments' '-B -ntp verify -pl cli' "$(<"$copy/../maven-calls")"
}

has_boost() { mkdir -p "$temp/system/usr/lib/linux-test" && touch "$temp/system/usr/lib/linux-test/libboost_context.a"; }

# Each line of maven-calls ends with its plugins here.
plugins_built() { sed 's/.*-Dcgan.plugins=\([^=]*\) JAVA_HOME.*/\1/' "$copy/../maven-calls" | tr '\n' ';'; }

plugins_are_built_when_they_are_of_use() {
    set_up
    run train
    run devices
    check 'plugins: nothing to build them with' 'none;' "$(plugins_built)"
    fake "$fakes/nvcc" <<<'exit 0'
    run train --device cuda:0
    run train --device cpu
    check 'plugins: a GPU is named' 'none;cuda;' "$(plugins_built)"
    run train --device=sim
    check 'plugins: no Boost.Context' 1 "$code"
    contains 'plugins: no Boost.Context' 'cgan-cli: missing: Boost.Context' "$err"
    has_boost
    run train --device=sim
    run doctor
    check 'plugins: what was built stays' 'none;cuda;cuda sim;' "$(plugins_built)"
    echo x >>"$copy/native/src/a.cpp"
    run train
    mkdir -p "$temp/system/dev" && touch "$temp/system/dev/nvidiactl"
    run train
    check 'plugins: a GPU is there' 'none;cuda;cuda sim;none;cuda;' "$(plugins_built)"
    run devices
    check 'plugins: all' 'none;cuda;cuda sim;none;cuda;cuda sim;' "$(plugins_built)"
}

# As a terminal does: SIGINT to the whole process group, in which the launcher must have left the JVM alone.
an_interrupt_reaches_the_jvm_once() {
    set_up
    run models
    set -m
    env --default-signal=INT -i HOME="$home" PATH="$fakes" "$BASH" "$copy/cgan-cli" wait "$temp/ready" >"$temp/out" 2>&1 &
    local group=$!
    set +m
    while [[ ! -s $temp/ready ]] && kill -0 "$group"; do sleep 0.05; done
    kill -INT -- "-$group"
    wait "$group"
    check 'interrupt: code' 130 "$?"
    contains 'interrupt: once' 'interrupts 1' "$(<"$temp/out")"
}

for test in builds_once_then_only_runs works_through_links notices_changes a_failed_build_does_not_count \
    two_at_once_build_once chooses_a_jdk names_what_is_missing installs_what_is_missing_as_root verify_runs_the_tests plugins_are_built_when_they_are_of_use \
    an_interrupt_reaches_the_jvm_once; do
    "$test"
done
echo "launcher: $checks checks, $failures failed"
((failures == 0 && checks > 40))
