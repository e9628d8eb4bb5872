// The suite's values and types as attent writes them, and the judgement of an answer.
package main

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"sort"
	"strconv"
	"strings"

	"cel.dev/expr"
	test "cel.dev/expr/conformance/test"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

type object = map[string]any

func double(d float64) any {
	switch {
	case math.IsNaN(d):
		return "NaN"
	case math.IsInf(d, 1):
		return "Infinity"
	case math.IsInf(d, -1):
		return "-Infinity"
	}
	return d
}

func whole(i int64) object     { return object{"int": strconv.FormatInt(i, 10)} }
func unsigned(u uint64) object { return object{"uint": strconv.FormatUint(u, 10)} }

// Seconds and nanoseconds as 1.5s.
func span(d *durationpb.Duration) string {
	sign, s, n := "", d.Seconds, int64(d.Nanos)
	if s < 0 || n < 0 {
		sign, s, n = "-", -s, -n
	}
	text := strconv.FormatInt(s, 10)
	if n != 0 {
		text += strings.TrimRight("."+strconv.FormatInt(1e9+n, 10)[1:], "0")
	}
	return sign + text + "s"
}

func instant(t *timestamppb.Timestamp) string {
	return t.AsTime().Format("2006-01-02T15:04:05.999999999Z")
}

// google.protobuf.Value, which is a JSON value.
func ofJSON(v *structpb.Value) object {
	switch k := v.GetKind().(type) {
	case *structpb.Value_BoolValue:
		return object{"bool": k.BoolValue}
	case *structpb.Value_NumberValue:
		return object{"double": double(k.NumberValue)}
	case *structpb.Value_StringValue:
		return object{"string": k.StringValue}
	case *structpb.Value_ListValue:
		return ofJSONList(k.ListValue)
	case *structpb.Value_StructValue:
		return ofStruct(k.StructValue)
	}
	return object{"null": nil}
}

func ofJSONList(l *structpb.ListValue) object {
	items := []any{}
	for _, item := range l.GetValues() {
		items = append(items, ofJSON(item))
	}
	return object{"list": items}
}

func ofStruct(s *structpb.Struct) object {
	entries := []any{}
	for key, value := range s.GetFields() {
		entries = append(entries, []any{object{"string": key}, ofJSON(value)})
	}
	return object{"map": entries}
}

// A message in an Any: of the well-known types only.
func ofMessage(v *expr.Value_ObjectValue) object {
	message, err := v.ObjectValue.UnmarshalNew()
	if err != nil {
		return object{"message": v.ObjectValue.TypeUrl}
	}
	switch m := message.(type) {
	case *durationpb.Duration:
		return object{"duration": span(m)}
	case *timestamppb.Timestamp:
		return object{"timestamp": instant(m)}
	case *structpb.Value:
		return ofJSON(m)
	case *structpb.Struct:
		return ofStruct(m)
	case *structpb.ListValue:
		return ofJSONList(m)
	case *wrapperspb.BoolValue:
		return object{"bool": m.Value}
	case *wrapperspb.StringValue:
		return object{"string": m.Value}
	case *wrapperspb.BytesValue:
		return object{"bytes": base64.StdEncoding.EncodeToString(m.Value)}
	case *wrapperspb.Int32Value:
		return whole(int64(m.Value))
	case *wrapperspb.Int64Value:
		return whole(m.Value)
	case *wrapperspb.UInt32Value:
		return unsigned(uint64(m.Value))
	case *wrapperspb.UInt64Value:
		return unsigned(m.Value)
	case *wrapperspb.FloatValue:
		return object{"double": double(float64(m.Value))}
	case *wrapperspb.DoubleValue:
		return object{"double": double(m.Value)}
	}
	return object{"message": v.ObjectValue.TypeUrl}
}

func ofValue(v *expr.Value) object {
	switch k := v.GetKind().(type) {
	case *expr.Value_BoolValue:
		return object{"bool": k.BoolValue}
	case *expr.Value_Int64Value:
		return whole(k.Int64Value)
	case *expr.Value_Uint64Value:
		return unsigned(k.Uint64Value)
	case *expr.Value_DoubleValue:
		return object{"double": double(k.DoubleValue)}
	case *expr.Value_StringValue:
		return object{"string": k.StringValue}
	case *expr.Value_BytesValue:
		return object{"bytes": base64.StdEncoding.EncodeToString(k.BytesValue)}
	case *expr.Value_TypeValue:
		return object{"type": k.TypeValue}
	case *expr.Value_ObjectValue:
		return ofMessage(k)
	case *expr.Value_ListValue:
		items := []any{}
		for _, item := range k.ListValue.GetValues() {
			items = append(items, ofValue(item))
		}
		return object{"list": items}
	case *expr.Value_MapValue:
		entries := []any{}
		for _, entry := range k.MapValue.GetEntries() {
			entries = append(entries, []any{ofValue(entry.Key), ofValue(entry.Value)})
		}
		return object{"map": entries}
	}
	return object{"null": nil}
}

var primitives = map[expr.Type_PrimitiveType]string{
	expr.Type_BOOL: "bool", expr.Type_INT64: "int", expr.Type_UINT64: "uint",
	expr.Type_DOUBLE: "double", expr.Type_STRING: "string", expr.Type_BYTES: "bytes",
}

func ofType(t *expr.Type) string {
	switch k := t.GetTypeKind().(type) {
	case *expr.Type_Null:
		return "null"
	case *expr.Type_Primitive:
		return primitives[k.Primitive]
	case *expr.Type_Wrapper:
		return "wrapper(" + primitives[k.Wrapper] + ")"
	case *expr.Type_WellKnown:
		return map[expr.Type_WellKnownType]string{expr.Type_TIMESTAMP: "timestamp",
			expr.Type_DURATION: "duration", expr.Type_ANY: "dyn"}[k.WellKnown]
	case *expr.Type_ListType_:
		return "list(" + ofType(k.ListType.ElemType) + ")"
	case *expr.Type_MapType_:
		return "map(" + ofType(k.MapType.KeyType) + ", " + ofType(k.MapType.ValueType) + ")"
	case *expr.Type_Type:
		return "type"
	case *expr.Type_AbstractType_:
		if k.AbstractType.Name == "optional_type" && len(k.AbstractType.ParameterTypes) == 1 {
			return "optional(" + ofType(k.AbstractType.ParameterTypes[0]) + ")"
		}
		return k.AbstractType.Name
	case *expr.Type_MessageType:
		return k.MessageType
	}
	return "dyn"
}

// The line that attent is asked.
func request(t *test.SimpleTest) []byte {
	// a NUL stands in literals only, and JSON from outside may hold none
	source := strings.ReplaceAll(t.Expr, "\x00", `\000`)
	line := object{"expr": source, "container": t.Container, "disable_check": t.DisableCheck,
		"check_only": t.CheckOnly, "disable_macros": t.DisableMacros}
	bindings, types := object{}, object{}
	for name, bound := range t.Bindings {
		bindings[name] = ofValue(bound.GetValue())
	}
	for _, decl := range t.TypeEnv {
		if decl.GetIdent() != nil {
			types[decl.Name] = ofType(decl.GetIdent().Type)
		}
	}
	line["bindings"], line["type_env"] = bindings, types
	text, err := json.Marshal(line)
	if err != nil {
		panic(err) // values of ours only
	}
	return text
}

// A map's entries in an order that does not depend on who wrote them.
func sorted(v any) any {
	switch x := v.(type) {
	case []any:
		for i := range x {
			x[i] = sorted(x[i])
		}
	case object:
		for key, value := range x {
			x[key] = sorted(value)
		}
		if entries, isMap := x["map"].([]any); isMap {
			sort.Slice(entries, func(i, j int) bool { return text(entries[i]) < text(entries[j]) })
		}
	}
	return v
}

func text(v any) string {
	out, _ := json.Marshal(v)
	return string(out)
}

func normal(v any) any {
	var copied any
	_ = json.Unmarshal([]byte(text(v)), &copied)
	return sorted(copied)
}

// Is the answer what the test wants?  The wanted answer as text, too.
func judge(t *test.SimpleTest, answer string) (bool, string) {
	var got object
	if json.Unmarshal([]byte(answer), &got) != nil {
		return false, "an answer that is JSON"
	}
	want := object{"value": object{"bool": true}}
	switch m := t.ResultMatcher.(type) {
	case *test.SimpleTest_Value:
		want = object{"value": ofValue(m.Value)}
	case *test.SimpleTest_TypedResult:
		want = object{"value": ofValue(m.TypedResult.Result)}
		if t.CheckOnly {
			want = object{"type": ofType(m.TypedResult.DeducedType)}
		}
	case *test.SimpleTest_EvalError, *test.SimpleTest_AnyEvalErrors:
		_, failed := got["error"]
		return failed, "an error"
	}
	return reflect.DeepEqual(normal(got), normal(want)), text(want)
}
