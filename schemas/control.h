/* schemas/control.h - control records of attent.events: they are of no customer and carry the header
 * attent-control with one of these.  They do not move `now`, ticks excepted. */
#ifndef ATTENT_SCHEMAS_CONTROL_H
#define ATTENT_SCHEMAS_CONTROL_H

#define CONTROL_HEADER    "attent-control"
#define CONTROL_TICK      "tick"      /* only moves now */
#define CONTROL_ACTIVATE  "activate"  /* value = content hash of the rule set, hex */
#define CONTROL_WATERMARK "watermark" /* value: schemas/watermark.h */

#endif
