/* processors/cli/screen.h - a story on a terminal: one line a thing, in columns and colours.
 *
 *   Wed 05 Mar 22:40  event     Dewi's car reports brake pads of 2.8 mm
 *                     decision  brake-pads: held until Thu 06 Mar 08:00 (quiet_hours)
 *
 * On a terminal it pauses after each line, as long as reading it takes; otherwise it is plain
 * and does not wait.
 */
#ifndef ATTENT_PROCESSORS_CLI_SCREEN_H
#define ATTENT_PROCESSORS_CLI_SCREEN_H

#include "core/buf.h"
#include "core/zone.h"

enum screen_tone { TONE_PLAIN, TONE_EVENT, TONE_SILENCE, TONE_TASK, TONE_ANSWER, TONE_BAD };

struct screen {
    bool colours; /* NO_COLOR is honoured by screen_open */
    bool paced;
    int64_t shown_ms; /* time of the last line, to leave out the same again; INT64_MIN at first */
};

struct screen screen_open(bool paced); /* looks at standard output */

/* One line.  at_ms: the story's time, printed in Amsterdam's; INT64_MIN: none. */
void screen_line(struct screen *screen, int64_t at_ms, enum screen_tone tone, const char *label,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* "Thu 06 Mar 08:00" on a zone's clock, and in Amsterdam's time; with seconds, if there are any,
 * "06 Mar 08:00:15". */
enum { SCREEN_TIME_SIZE = 32 };
void screen_local(const struct zone *zone, int64_t at_ms, char out[SCREEN_TIME_SIZE]);
void screen_time(int64_t at_ms, char out[SCREEN_TIME_SIZE]);

bool screen_has_colours(void); /* standard output is a terminal and NO_COLOR is not set */

void screen_end_line(struct buf *out); /* without blanks at its end */

/* Words for a report: in the tone's colour, or as they are. */
void screen_paint(struct buf *out, bool colours, enum screen_tone tone, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
