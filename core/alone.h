/* core/alone.h - one suspect at a time in a process.
 *
 * Who takes something in hand that may end the process says so where it survives (a note).  When several
 * threads have such notes at once, a death speaks against all of them; so from the note until it is taken
 * back a thread is alone in this.  Not for the hot path.  Any thread; does not nest.
 */
#ifndef ATTENT_CORE_ALONE_H
#define ATTENT_CORE_ALONE_H

void alone_begin(void);
void alone_end(void);

#endif
