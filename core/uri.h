/* core/uri.h - is a text a URI, by the grammar of RFC 3986?  Nothing is looked up or resolved. */
#ifndef ATTENT_CORE_URI_H
#define ATTENT_CORE_URI_H

#include "core/str.h"

bool uri_is_reference(struct str text); /* section 4.1; the empty text is one */
bool uri_is_absolute(struct str text);  /* section 4.3: with a scheme, without a fragment */

#endif
