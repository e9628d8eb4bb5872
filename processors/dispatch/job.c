#include "processors/dispatch/job.h"

#include "core/mem.h"
#include "core/mutant.h"

void job_free(struct job *job)
{
    if (job == NULL)
        return;
    mem_free(job->task);
    mem_free(job->withdrawal);
    mem_free(job->address);
    mem_free(job);
}

void job_missed(struct job *job, const char *why)
{
    bool unsent = job->kind == JOB_DELIVER || MUTANT(SILENCE_IS_NO);

    job->result = unsent ? DELIVERY_RETRY : DELIVERY_DOWN;
    err_set(&job->err, ERR_LIMIT, "%s", why);
}
