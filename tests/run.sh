#!/usr/bin/env bash
# Installs what the tests need, where that can be done, and runs everything: formatting, lints, documentation, tests.
#
#   tests/run.sh            all of it
#   PALISADE_REAL_DATA=DIR  a folder of real MRT, VRPs, IRR and tables for the tests that compare with real data
#                           (default: ../shared/data beside the repository, where there is one)
#
#   cargo test --release --test kernel -- --ignored --show-output
#                           the real table of 1.28M routes over BIRD into a kernel, route by route: five minutes, needs the
#                           real data; PALISADE_BIN=FILE tests another build, PALISADE_SHOW_LOG=1 shows its log
#   cargo test --release -p palisade-policy --test librtr -- --ignored --show-output
#                           millions of routes judged by all real VRPs and by librtr: a minute, needs the real data
#   cargo test --release -p palisade-bgp --test differential -- --ignored --show-output
#                           ten million comparisons with two other decoders, every difference explained: four minutes; real messages
#                           among them where there is real data
#
#   cargo test --release --test bad_peers -- --ignored --show-output
#                           twenty of 200 peers misbehave for five minutes
#
# A test that can't run here says `skipped: <test>: <why>`; those lines are repeated at the end.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(bird2 bgpdump bgpq4 iproute2 util-linux make stayrtr openssl rtr-tools frr gobgpd openbgpd exabgp)
programs=(bird bgpdump bgpq4 ip unshare make stayrtr openssl rpki-rov /usr/lib/frr/bgpd gobgpd bgpctl exabgp)

missing() {
    local program
    for program in "${programs[@]}"; do
        PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null || echo "$program"
    done
}

if [ -n "$(missing)" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "== installing ${packages[*]}"
    apt-get update -qq
    # The tests start what they need themselves, in namespaces of their own.
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi
for program in $(missing); do
    echo "note: $program is not installed: tests that need it are skipped"
done
export PATH=$PATH:/usr/sbin:/sbin

log=$(mktemp)
trap 'rm -f "$log" "$log.real"' EXIT

echo "== formatting"
cargo fmt --all --check
echo "== lints"
cargo clippy --workspace --all-targets --quiet -- -D warnings
echo "== documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --quiet
echo "== tests"
status=0
cargo test --workspace --no-fail-fast -- --show-output >"$log" 2>&1 || status=$?
grep -Ev '^(running 0 tests|test result: ok\. 0 passed|$|successes:|---- .* stdout ----)' "$log"

# The whole real table against all real VRPs, route by route: for optimized builds.
if [ -d "${PALISADE_REAL_DATA:-../shared/data}" ]; then
    echo "== origin validation of the real table"
    cargo test --release --config 'profile.release.lto=false' -p palisade-policy --test real_data -- \
        --include-ignored --show-output >"$log.real" 2>&1 || status=$?
    grep -Ev '^(running 0 tests|$|successes:|---- .* stdout ----| +(Compiling|Downloaded))' "$log.real"
    cat "$log.real" >>"$log"
else
    echo "skipped: real_data: no real data here (PALISADE_REAL_DATA)" >>"$log"
fi

if grep -q '^skipped: ' "$log"; then
    echo "== not run here"
    grep '^skipped: ' "$log" | sort -u
fi
passed=$(awk '/^test result:/ {n += $4} END {print n + 0}' "$log")
failed=$(awk '/^test result:/ {n += $6} END {print n + 0}' "$log")
ignored=$(awk '/^test result:/ {n += $8} END {print n + 0}' "$log")
echo "$passed passed, $failed failed, $ignored skipped"
exit "$status"
