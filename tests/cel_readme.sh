#!/bin/bash
# The program of rules/cel/README.md: it compiles against the public header alone, with warnings as
# errors, and prints what the page says.
set -u
cd "$(dirname "$0")/.." || exit 2
page=rules/cel/README.md
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

# block NUMBER LANGUAGE: the text of a code block of the page
block()
{
    awk -v want="$1" -v fence="\`\`\`$2" '$0 == fence { n++; inside = n == want; next }
        /^```$/ { inside = 0 } inside' "$page"
}

fail()
{
    echo "cel_readme: $*" >&2
    exit 1
}

# same WHAT WANTED GOT
same()
{
    diff "$2" "$3" >&2 || fail "$1 is not what $page says"
}

block 1 c >"$work/order.c"
block 1 text >"$work/wanted"
block 2 text >"$work/wanted-mistakes"
includes=$(grep -c '^#include "' "$work/order.c")
[ "$includes" -eq 1 ] && grep -q '^#include "rules/cel/cel.h"$' "$work/order.c" ||
    fail "the program includes more than rules/cel/cel.h"
[ -f build/release/libattent.a ] || fail "build/release/libattent.a is not there: make build/attent"
gcc -std=c11 -Wall -Wextra -Werror -I. "$work/order.c" build/release/libattent.a \
    $(pkg-config --libs libpcre2-8) -lm -o "$work/order" || fail "the program does not compile"

"$work/order" >"$work/got" || fail "the program ended with $?"
same "what it prints" "$work/wanted" "$work/got"
"$work/order" "order.amont > '100' && order.country" >"$work/got" && fail "a mistake went through"
same "what it says of mistakes" "$work/wanted-mistakes" "$work/got"
