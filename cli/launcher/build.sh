# Builds the program, or everything with its tests. Sourced by cgan-cli, whose functions and variables it uses.
# shellcheck shell=bash

# shellcheck source=cli/launcher/prerequisites.sh
. "$root/cli/launcher/prerequisites.sh"

readonly log=$root/build/build.log

# Builds into build/app/<number>, then points build/app/current at it. A program that runs keeps its own folder.
build() {
    if [[ $asked =~ $names_sim ]]; then set -- simulator; fi
    mkdir -p "$app"
    exec 9>"$app/lock"
    if command -v flock >/dev/null && ! flock -n 9; then
        say "waiting for another cgan-cli that is building"
        flock 9
    fi
    if ! fresh; then
        require_tools "$@"
        choose_plugins
        build_now
    fi
    exec 9>&-
}

# What this run wants, and what earlier ones asked for, if all else is as it was.
choose_plugins() {
    local plugin
    sources_built || plugins=''
    for plugin in $(wanted_plugins); do
        if [[ " $plugins " != *" $plugin "* ]]; then plugins+=${plugins:+ }$plugin; fi
    done
}

build_now() {
    local began=$SECONDS jars=$root/cli/target/app program=$app/$(($(newest_build) + 1)) hash
    sources_hash >"$app/began" # what is edited from now on is newer than this file
    hash=$(<"$app/began")
    rm -rf "$jars"

    say "building; log in $log"
    local built=0
    : >"$log"
    rm -f "$app/shown"
    show_progress "$began" &
    run_maven package -pl cli -am -Dmaven.test.skip=true -DskipTests -Dcgan.plugins="${plugins:-none}" >>"$log" 2>&1 || built=$?
    touch "$app/shown" && wait
    if ((built == 130)); then
        say "interrupted"
        exit 130
    fi
    if ((built != 0)); then
        tail -n 25 "$log" >&2
        say "the build failed; the whole log is $log"
        say "$(remedy)"
        exit 1
    fi

    cp -r "$jars" "$program"
    mkdir "$program/native"
    cp "$root"/bindings/target/classes/native/*/* "$program/native"
    archive_classes "$program"
    printf '%s\n' "$program" "$java_for_build/bin/java" "$hash" "$plugins" >"$current.new"
    touch -r "$app/began" "$current.new"
    mv "$current.new" "$current"
    remove_old_builds
    say "built in $((SECONDS - began)) s"
}

run_maven() {
    (cd "$root" && JAVA_HOME=$java_for_build "$maven" -B -ntp "$@" 9>&-)
}

# On a terminal, one line that tells which step runs. Maven is in the foreground, so that Ctrl-C reaches it; this ends
# when build/app/shown appears or cgan-cli is gone.
show_progress() {
    [[ -t 2 ]] || return 0
    local step
    while [[ ! -e $app/shown ]] && kill -0 $$ 2>/dev/null; do
        step=$(grep -aoE '^\[[0-9]+/[0-9]+\].*|^\[ *[0-9]+%\].*|Building cgan .*' "$log" | tail -n 1) || true
        printf '\r\033[Kcgan-cli: %d s  %.70s' "$((SECONDS - $1))" "$step" >&2
        sleep 0.3
    done
    printf '\r\033[K' >&2
}

remedy() {
    if grep -qaE 'PKIX path building failed|certificate_unknown' "$log"; then
        echo "Maven's JDK does not trust the certificate of the server, as behind the proxy of a company: import the proxy's with '$java_for_build/bin/keytool' -importcert -cacerts -alias proxy -file CERTIFICATE, then run the same command again."
    elif grep -qaE 'Could not (transfer|resolve|find) artifact|Unknown host|Connection (refused|timed out)' "$log"; then
        echo "Maven could not download something: check the network or the proxy in ~/.m2/settings.xml, then run the same command again."
    elif grep -qaE 'No space left on device' "$log"; then
        echo "The disk is full: free some space, then run the same command again."
    elif grep -qaE 'CMake Error.*(compiler|CMAKE_CXX)|CMAKE_CXX_COMPILER' "$log"; then
        echo "The C++ compiler does not work: remove $root/build/native after repairing it, then run the same command again."
    else
        echo "If the sources are unchanged, start afresh: rm -rf '$root/build' '$root'/*/target, then run the same command again."
    fi
}

newest_build() {
    local newest=0 folder number
    for folder in "$app"/*/; do
        number=$(basename "$folder")
        if [[ $number =~ ^[0-9]+$ ]] && ((number > newest)); then newest=$number; fi
    done
    echo "$newest"
}

# The one before may still be running.
remove_old_builds() {
    local newest folder number
    newest=$(newest_build)
    for folder in "$app"/*/; do
        number=$(basename "$folder")
        if [[ $number =~ ^[0-9]+$ ]] && ((number < newest - 1)); then rm -rf "$folder"; fi
    done
}

# Records the classes that starting up and loading libcgan need, so that the JVM maps them instead of reading jars.
archive_classes() {
    CGAN_NATIVE_DIR=$1/native "$java_for_build/bin/java" -XX:ArchiveClassesAtExit="$1/classes.jsa" -Xlog:disable -XX:+UseSerialGC \
        -jar "$1/cgan-cli.jar" doctor >>"$log" 2>&1 9>&- ||
        say "note: the program does not start; see the end of $log"
}

# oneDNN, which the tests hold our kernels against, from Maven into build/onednn. Without it they are fewer, and say so.
fetch_onednn() {
    if [[ $(uname -s -m) != 'Linux x86_64' ]]; then return; fi
    if [[ ! -d $root/build/onednn ]]; then
        run_maven -q -pl bindings dependency:unpack@onednn >>"$log" 2>&1 ||
            say "note: oneDNN could not be fetched; its tests are left out. See the end of $log"
    fi
    offer_opencl
}

# Builds everything and runs all tests; their output goes to the terminal, the closing lines are repeated at the end.
# Further arguments go to Maven.
verify() {
    require_tools tests
    # Some tests run cgan-cli, which must find the program built, since Maven is busy by then.
    fresh || build
    fetch_onednn
    local code=0
    run_maven verify "$@" 2>&1 | tee "$root/build/verify.log" || code=${PIPESTATUS[0]}
    echo
    grep -aE '^[0-9]+% tests passed|^-- tests of kernels=vendor are off|^launcher: |^\[(INFO|ERROR|WARNING)\] Tests run: [0-9]+, Failures: [0-9]+, Errors: [0-9]+, Skipped: [0-9]+$|BUILD (SUCCESS|FAILURE)' \
        "$root/build/verify.log" | sed -E 's/^\[[A-Z]+\] //' || true
    return "$code"
}
