/* rules/cel/vm.h - what the parts of the VM share: vm.c runs the instructions, vm_build.c makes lists
 * and maps, vm_loop.c goes over them.  Inside rules/cel only.
 */
#ifndef ATTENT_RULES_CEL_VM_H
#define ATTENT_RULES_CEL_VM_H

#include "rules/cel/program.h"

/* --- lists and maps that grow: only those that this run made and nobody else has seen ----------- */

/* An error becomes the whole list or map, and stays. */
void cel_list_add(struct cel_run *run, struct value *list, struct value v);
void cel_map_add(struct cel_run *run, struct value *map, struct value key, struct value v);

/* Ready for look-ups.  A key that stands twice is an error, also as 1 and 1u. */
void cel_map_end(struct cel_run *run, struct value *map);

/* The value of an entry with `?`: nothing is added for none. */
struct value cel_entry_value(struct cel_run *run, struct value v, bool *there);

/* --- loops: five locals ------------------------------------------------------------------------ */

/*   | what it goes over | index of the next | gathered | first name | second name |  */

/* Give the names their next values; false: there are none. */
bool cel_loop_next(struct value *loop, size_t names);

/* End it with the error v, or the error that v is no condition. */
void cel_loop_fail(struct cel_run *run, struct value *loop, struct value v);

/* What the body gave, by the instruction OP_GATHER_... */
void cel_loop_gather(struct cel_run *run, enum cel_op op, struct value *loop, struct value v);

#endif
