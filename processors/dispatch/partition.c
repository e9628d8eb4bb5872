#include "processors/dispatch/partition.h"

void partition_open(struct partition *p, int32_t number)
{
    *p = (struct partition){
        .number = number,
        .ledger = ledger_new(),
        .lines = lines_new(),
        .sources = sources_new(),
        .wishes = wishes_new(),
        .look_to = PARTITION_LOOKS_NOWHERE,
    };
}

void partition_close(struct partition *p)
{
    ledger_free(p->ledger);
    lines_free(p->lines);
    sources_free(p->sources);
    wishes_free(p->wishes);
    *p = (struct partition){0};
}

void partition_commit(struct partition *p)
{
    ledger_commit(p->ledger);
    sources_commit(p->sources);
    p->committed_next = p->next;
    p->committed_now_ms = p->now_ms;
    p->touched = false;
}

void partition_rollback(struct partition *p)
{
    ledger_rollback(p->ledger);
    sources_rollback(p->sources);
    p->next = p->committed_next;
    p->now_ms = p->committed_now_ms;
    p->touched = false;
    p->adopt_ms = 0; /* whatever was adopted, look again */
}
