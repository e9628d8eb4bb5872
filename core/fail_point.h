/* core/fail_point.h - named steps at which a test may kill the process (SIGKILL).
 *
 * In test builds (ATTENT_FAIL_POINTS) a step that was set kills at its n-th pass; in a release build
 * there is nothing of it.  And in the environment variable ATTENT_POISON a test may say what a role dies
 * of: "decide=TEXT", any record of decide that has TEXT in its value; "timer=TEXT", any timer of a step whose
 * subject has TEXT in its name; several with commas between them.  Any thread.
 */
#ifndef ATTENT_CORE_FAIL_POINT_H
#define ATTENT_CORE_FAIL_POINT_H

enum fail_point {
#define FAIL_POINT(role, name, text) FAIL_##name,
#include "core/fail_points.def"
#undef FAIL_POINT
    FAIL_POINT_COUNT,
};

#include "core/str.h"

#ifdef ATTENT_FAIL_POINTS
void fail_point_set(enum fail_point point, int pass); /* before threads are started */
void fail_point_pass(enum fail_point point);
void fail_point_meet(const char *role, struct str value);
#define FAIL_POINT_PASS(name)         fail_point_pass(FAIL_##name)
#define FAIL_POINT_MEET(role, record) fail_point_meet((role), (record)->value)
#define FAIL_POINT_MEET_TEXT(role, t) fail_point_meet((role), (t))
#define FAIL_POINT_NOTE               ", for tests: it can be killed at named steps" /* --version */
#else
#define FAIL_POINT_PASS(name)         ((void)0)
#define FAIL_POINT_MEET(role, record) ((void)0)
#define FAIL_POINT_MEET_TEXT(role, t) ((void)0)
#define FAIL_POINT_NOTE               ""
#endif

#endif
