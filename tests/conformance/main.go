// The official CEL suite, through `attent eval --lines`.
//
//	go run . ../../build/attent ../../docs/cel.md
//
// A failure that the page names, in `backquotes`, with its reason, is known; any other, and a known
// one that passes by now, makes the exit code 1.
// The suite's own types and prototext read it from the Go module that go.mod pins; nothing of it is
// kept here.  What needs protobuf messages or enums is out of scope and not counted.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"

	_ "cel.dev/expr/conformance/proto2"
	_ "cel.dev/expr/conformance/proto3"
	test "cel.dev/expr/conformance/test"
	"google.golang.org/protobuf/encoding/prototext"
)

// Not of the language over JSON-like values: protobuf, and extensions that attent has not.
var outOfScope = map[string]bool{
	"proto2": true, "proto2_ext": true, "proto3": true, "enums": true, "unknowns": true,
	"block_ext": true, "network_ext": true,
}

var tiers = []string{"standard", "wkt constructors", "strings", "math", "optional", "two-variable",
	"bind", "encoders", "lists"}

var tierOfFile = map[string]string{
	"string_ext": "strings", "math_ext": "math", "optionals": "optional", "macros2": "two-variable",
	"bindings_ext": "bind", "encoders_ext": "encoders", "lists_ext": "lists",
}

type outcome struct {
	name, expr, tier string
	got, want        string
	passed           bool
}

func suiteFolder() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "cel.dev/expr").Output()
	return filepath.Join(strings.TrimSpace(string(out)), "tests", "simple", "testdata"), err
}

// Does a test use a message or enum of the suite's own?
func usesMessages(t *test.SimpleTest) bool {
	text := prototext.Format(t)
	for _, word := range []string{"TestAllTypes", "NestedTestAllTypes", "GlobalEnum",
		"TestRequired", "cel.expr.conformance"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

func tierOf(file string, t *test.SimpleTest) string {
	if tier, special := tierOfFile[file]; special {
		return tier
	}
	if strings.Contains(t.Expr, "google.protobuf.") && strings.Contains(t.Expr, "{") {
		return "wkt constructors"
	}
	return "standard"
}

// The tests in scope, and how many of each file are not.
func readSuite(folder string) ([]*outcome, []*test.SimpleTest, map[string]int, error) {
	var outcomes []*outcome
	var tests []*test.SimpleTest
	left := map[string]int{}
	files, err := filepath.Glob(filepath.Join(folder, "*.textproto"))
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("no tests in the module")
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".textproto")
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, nil, err
		}
		var suite test.SimpleTestFile
		if err := prototext.Unmarshal(text, &suite); err != nil {
			return nil, nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, section := range suite.Section {
			for _, t := range section.Test {
				if outOfScope[name] || usesMessages(t) {
					left[name]++
					continue
				}
				outcomes = append(outcomes, &outcome{tier: tierOf(name, t), expr: t.Expr,
					name: name + "/" + section.Name + "/" + t.Name})
				tests = append(tests, t)
			}
		}
	}
	return outcomes, tests, left, err
}

func evaluate(attent string, lines []byte) ([]string, error) {
	command := exec.Command(attent, "eval", "--lines")
	command.Stdin = bytes.NewReader(lines)
	command.Stderr = os.Stderr
	out, err := command.Output()
	var answers []string
	scanner := bufio.NewScanner(bytes.NewReader(out))
	scanner.Buffer(nil, 1<<26)
	for scanner.Scan() {
		answers = append(answers, scanner.Text())
	}
	return answers, err
}

func report(outcomes []*outcome, page string) bool {
	good := true
	passed, total := map[string]int{}, map[string]int{}
	var failures []*outcome
	for _, o := range outcomes {
		total[o.tier]++
		known := strings.Contains(page, "`"+o.name+"`")
		if o.passed {
			passed[o.tier]++
		}
		if o.passed && known {
			fmt.Printf("  %s passes: strike it from docs/cel.md\n", o.name)
			good = false
		} else if known {
			fmt.Printf("  known %s\n", o.name)
		} else if !o.passed {
			good = false
			failures = append(failures, o)
		}
	}
	sort.Slice(failures, func(i, j int) bool { return failures[i].name < failures[j].name })
	for _, o := range failures {
		fmt.Printf("  FAIL  %s\n          %s\n          got  %s\n          want %s\n", o.name,
			strings.ReplaceAll(o.expr, "\n", "\n          "), o.got, o.want)
	}
	fmt.Printf("%-18s passed  total\n", "tier")
	all := 0
	for _, tier := range tiers {
		fmt.Printf("%-18s %6d %6d\n", tier, passed[tier], total[tier])
		row := fmt.Sprintf("| %s | %d | %d |", tier, passed[tier], total[tier])
		if !strings.Contains(page, row) {
			fmt.Printf("  docs/cel.md has no row %s\n", row)
			good = false
		}
		all += passed[tier]
	}
	fmt.Printf("%-18s %6d %6d\n", "all", all, len(outcomes))
	return good
}

// What is not counted, so that the whole suite is accounted for.
func reportLeft(left map[string]int) {
	var files []string
	all := 0
	for name, count := range left {
		files = append(files, fmt.Sprintf("%s %d", name, count))
		all += count
	}
	sort.Strings(files)
	fmt.Printf("out of scope %d: %s\n", all, strings.Join(files, ", "))
}

func run(attent, page string) (bool, error) {
	known, err := os.ReadFile(page)
	if err != nil {
		return false, err
	}
	folder, err := suiteFolder()
	if err != nil {
		return false, err
	}
	outcomes, tests, left, err := readSuite(folder)
	if err != nil {
		return false, err
	}
	var lines bytes.Buffer
	for _, t := range tests {
		lines.Write(request(t))
		lines.WriteByte('\n')
	}
	answers, err := evaluate(attent, lines.Bytes())
	if err != nil {
		return false, err
	}
	if len(answers) != len(tests) {
		return false, fmt.Errorf("%d answers to %d lines", len(answers), len(tests))
	}
	for i, o := range outcomes {
		o.passed, o.want = judge(tests[i], answers[i])
		o.got = answers[i]
	}
	good := report(outcomes, string(known))
	reportLeft(left)
	return good, nil
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: conformance ATTENT PAGE")
		os.Exit(2)
	}
	good, err := run(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(2)
	}
	if !good {
		os.Exit(1)
	}
}
