#!/bin/bash
# The pages that people read: every relative link leads somewhere, to a heading too, and README lists
# the packages that deploy/install installs and the Makefile links.
set -u
cd "$(dirname "$0")/.." || exit 2
bad=0

complain()
{
    echo "$*" >&2
    bad=1
}

# links FILE: the targets of its Markdown links, outside of code blocks
links()
{
    awk '/^```/ { code = !code; next } !code' "$1" | grep -oE '\]\([^) ]+\)' |
        sed -E 's/^\]\(//; s/\)$//' | grep -vE '^(https?:|mailto:|$)'
}

# headings FILE: as a link names them, behind its #
headings()
{
    awk '/^```/ { code = !code; next } !code && /^#/' "$1" | tr 'A-Z' 'a-z' |
        sed -E 's/^#+ //; s/\[([^]]*)\]\([^)]*\)/\1/g; s/[^a-z0-9_ -]//g; s/ /-/g'
}

for page in README.md docs/*.md docs/*/*.md rules/README.md processors/*/README.md tests/*/README.md; do
    [ -f "$page" ] || continue
    for link in $(links "$page"); do
        target=$page
        [ -n "${link%%#*}" ] && target=$(dirname "$page")/${link%%#*}
        [ -e "$target" ] || complain "$page: $link is not there"
        case $target$link in
            *.md*#*) headings "$target" | grep -qxF -e "${link#*#}" ||
                complain "$page: $link: there is no such heading" ;;
        esac
    done
done

# What docs/guarantees.md names as shown by a file is a test of that file: [test_x](../tests/...): `name`, `name`
page=docs/guarantees.md
named=0
while read -r file names; do
    [ -f "docs/$file" ] || complain "$page: $file is not there"
    for name in $names; do
        grep -qE "START_TEST\\($name\\)" "docs/$file" 2>/dev/null ||
            complain "$page: there is no test $name in $file"
        named=$((named + 1))
    done
done < <(grep -oE '\[test_[a-z_]+\]\([^)]+\)(: `[a-z0-9_]+`(, `[a-z0-9_]+`)*)?' "$page" |
    sed -E 's/^\[[a-z_]+\]\(([^)]+)\):?/\1/; s/[`,]//g')
[ "$named" -ge 20 ] || complain "$page: only $named tests are named"

deploy/channels_page | diff -q - docs/channels.md >/dev/null ||
    complain "docs/channels.md: its options are stale: make docs"

while read -r group package reason; do
    grep -qxF "| $group | \`$package\` | $reason |" README.md ||
        complain "README.md: no row for $package as in deploy/install --list"
done < <(deploy/install --list)
rows=$(grep -cE '^\| (build|run|test|editor) \| `' README.md)
[ "$rows" -eq "$(deploy/install --list | wc -l)" ] || complain "README.md: $rows packages"

for library in $(sed -n 's/^PACKAGES := //p' Makefile); do
    package=$(dpkg -S "$(pkg-config --variable=pcfiledir "$library")/$library.pc" 2>/dev/null)
    deploy/install --list | grep -q "^build  ${package%%:*} " ||
        complain "Makefile: $library (of ${package%%:*}) is not in deploy/install --list"
done
exit $bad
