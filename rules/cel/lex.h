/* rules/cel/lex.h - text to tokens, one at a time.  Inside rules/cel only.
 *
 * A broken token is reported and replaced by the one that was probably meant, so that the rest of
 * the expression is looked at as well.
 */
#ifndef ATTENT_RULES_CEL_LEX_H
#define ATTENT_RULES_CEL_LEX_H

#include "rules/cel/node.h"

enum token_kind {
#define TOKEN(name, text) TOKEN_##name,
#include "rules/cel/tokens.def"
#undef TOKEN
    TOKEN_KIND_COUNT
};

struct token {
    enum token_kind kind;
    uint32_t at;          /* byte offset */
    struct str text;      /* as written */
    struct value literal; /* of a literal; an INT of 2^63 (only valid behind a minus) is a UINT */
};

struct lexer {
    struct cel_source *source;
    struct arena *arena; /* for decoded literals */
    size_t at;
    bool days_known; /* days() exists: suggest it for 14d */
};

struct token cel_lex_next(struct lexer *lexer);

/* "a name", "+", ...: for "expected ...". */
const char *cel_token_text(enum token_kind kind);

#endif
