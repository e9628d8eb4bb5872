"""Runs what a page shows, exactly as it is printed.

    session.py PAGE FOLDER

A block ```yaml FILE (or json) is written to FILE, ```yaml >>FILE behind what is there.  In a block ```console a line "$ COMMAND" is run, in
FOLDER, and must print the lines behind it; "..." stands for any text in a line, and on a line of its own
for any lines.  With UPDATE_FIXTURES=1 what is printed is written into the page: read the difference.
"""
import os
import re
import subprocess
import sys

FENCE = re.compile(r"^```(\w*)(?: +(\S+))?\s*$")


def run(command, folder):
    done = subprocess.run(["bash", "-c", command], cwd=folder, text=True, encoding="utf-8",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    return [line.rstrip() for line in done.stdout.splitlines()]


def matches(shown, printed):
    pattern = ""
    for line in shown:
        if line.strip() == "...":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += "[^\n]*".join(re.escape(part) for part in line.rstrip().split("...")) + "\n"
    return re.fullmatch(pattern, "".join(line + "\n" for line in printed)) is not None


def cut(lines):
    """A console block as [(command, shown lines)]."""
    steps = []
    for line in lines:
        if line.startswith("$ "):
            steps.append((line[2:], []))
        elif steps:
            steps[-1][1].append(line)
    return [(command, strip(shown)) for command, shown in steps]


def strip(lines):
    while lines and lines[-1] == "":
        lines = lines[:-1]
    return lines


def play(steps, folder, page, number, update):
    out, bad = [], 0
    for command, shown in steps:
        printed = strip(run(command, folder))
        if not matches(shown, printed):
            if update:
                shown = printed
            else:
                bad += 1
                print(f"{page}:{number}: $ {command}\n--- the page shows\n" + "\n".join(shown) +
                      "\n+++ it prints\n" + "\n".join(printed) + "\n")
        out += (["", ] if out else []) + [f"$ {command}"] + shown
    return out, bad


def main(page, folder):
    update = os.environ.get("UPDATE_FIXTURES") == "1"
    lines = open(page, encoding="utf-8").read().splitlines()
    out, bad, count, at = [], 0, 0, 0
    while at < len(lines):
        fence = FENCE.match(lines[at])
        out.append(lines[at])
        at += 1
        if not fence:
            continue
        end = at + lines[at:].index("```")
        block, number = lines[at:end], at
        if fence.group(1) == "console":
            steps = cut(block)
            count += len(steps)
            block, wrong = play(steps, folder, page, number, update)
            bad += wrong
        elif fence.group(2):
            name = fence.group(2).removeprefix(">>")
            mode = "a" if fence.group(2).startswith(">>") else "w"
            with open(os.path.join(folder, name), mode, encoding="utf-8") as file:
                file.write("\n".join(block) + "\n")
        out += block + ["```"]
        at = end + 1
    if update:
        open(page, "w", encoding="utf-8").write("\n".join(out) + "\n")
    if count == 0:
        print(f"{page}: shows no command")
    return 1 if bad or count == 0 else 0


sys.exit(main(sys.argv[1], sys.argv[2]))
