#!/bin/sh
# yardstick.py's arithmetic, on two runs that are done and a command line that only knows them.
set -u
cd "$(dirname "$0")/../.." || exit 1
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/full" "$folder/short"

cat >"$folder/full/report.json" <<'END'
{"trials": 5, "search_seconds": 3.0, "resumed_seconds": 1.0}
END
cat >"$folder/short/report.json" <<'END'
{"trials": 4, "elapsed": 2.0, "layers": [
 {"problem": "kept", "uses": 2, "chosen": false,
  "default": {"algorithm": "a", "params": "P=1", "ms": 7}, "best": null},
 {"problem": "won", "uses": 1, "chosen": true,
  "default": {"algorithm": "a", "params": "P=1", "ms": 8},
  "best": {"algorithm": "a", "params": "P=2", "ms": 4}},
 {"problem": "never drawn", "uses": 1, "chosen": true,
  "default": {"algorithm": "a", "params": "P=1", "ms": 8},
  "best": {"algorithm": "a", "params": "P=4", "ms": 4}},
 {"problem": "without a choice", "uses": 9, "chosen": false,
  "default": {"algorithm": "a", "params": "P=1", "ms": 9}, "best": null}]}
END
cat >"$folder/nextcl" <<'END'
#!/bin/sh
[ "$*" = "db show --json" ] || exit 2
cat <<'RECORDS'
{"records": [
 {"problem": "kept", "algorithm": "a", "params": "P=1", "seconds": 0.010, "samples": 3, "verdict": "good"},
 {"problem": "kept", "algorithm": "a", "params": "P=2", "seconds": 0.008, "samples": 3, "verdict": "good"},
 {"problem": "kept", "algorithm": "b", "params": "P=2", "seconds": 0.001, "samples": 3, "verdict": "wrong"},
 {"problem": "won", "algorithm": "a", "params": "P=1", "seconds": 0.006, "samples": 3, "verdict": "good"},
 {"problem": "won", "algorithm": "a", "params": "P=2", "seconds": 0.004, "samples": 3, "verdict": "good"},
 {"problem": "never drawn", "algorithm": "a", "params": "P=1", "seconds": 0.002, "samples": 3, "verdict": "good"},
 {"problem": "never drawn", "algorithm": "a", "params": "P=9", "seconds": 0.0005, "samples": 0, "verdict": "good"}]}
RECORDS
END
chmod +x "$folder/nextcl"

# Defaults 2 * 10 + 6 + 2 ms, after the short run 20 + 4 + 1, at best 16 + 4 + 2.
check() { # share to reach, exit status
    said=$(NEXTCL_CLI="$folder/nextcl" python3 tests/bench/yardstick.py net "$folder" --share "$1")
    status=$?
    [ "$status" -eq "$2" ] || { echo "exit status $status, not $2: $said"; exit 1; }
    echo "$said" | grep -q "defaults 28.00, after the short run 25.00, the long one's fastest 22.00" ||
        { echo "$said"; exit 1; }
}
check 0.87 0
check 0.89 1
