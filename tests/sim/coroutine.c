/* ucontext makes the stack; on x86-64 the switch itself is ours, because swapcontext asks the kernel
 * for the signal mask twice each time, which would be most of a run's cost.
 */
#include "tests/sim/coroutine.h"

#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "core/check.h"
#include "core/mem.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

enum { STACK_BYTES = 512 * 1024, GUARD_BYTES = 4096, SPARE_MAX = 64 };

struct coroutine {
    char *stack;
    void (*main)(void *context);
    void *context;
    bool ended;
#ifdef __x86_64__
    void *place; /* stack pointer while it does not run */
#else
    ucontext_t place;
#endif
};

static struct coroutine *running;
static char *spare[SPARE_MAX];
static int spare_count;

/* Who was abandoned has left marks of its frames behind. */
static char *wiped(char *stack)
{
#ifdef __SANITIZE_ADDRESS__
    __asan_unpoison_memory_region(stack + GUARD_BYTES, STACK_BYTES - GUARD_BYTES);
#endif
    return stack;
}

static char *take_stack(void)
{
    char *stack;

    if (spare_count > 0)
        return wiped(spare[--spare_count]);
    stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(stack != MAP_FAILED);
    CHECK(mprotect(stack, GUARD_BYTES, PROT_NONE) == 0);
    return stack;
}

static void begin(void)
{
    running->main(running->context);
    running->ended = true;
    coroutine_leave();
    CHECK_NEVER("a coroutine goes on after its end");
}

#ifdef __x86_64__

static void *home; /* the driver's stack pointer */

/* Keep what a call keeps, note the stack pointer, go on at the other one. */
void coroutine_switch(void **from, void *to);
__asm__(".text\n"
        ".globl coroutine_switch\n"
        ".type coroutine_switch, @function\n"
        "coroutine_switch:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size coroutine_switch, .-coroutine_switch\n"
        ".section .note.GNU-stack,\"\",@progbits\n"
        ".text\n");

enum { KEPT_REGISTERS = 6 };

/* As if it had called coroutine_switch itself, from the first line of begin. */
static void lay_out(struct coroutine *c)
{
    uintptr_t top = ((uintptr_t)c->stack + STACK_BYTES) & ~(uintptr_t)15;
    uintptr_t *words = (uintptr_t *)top;

    *--words = 0; /* where begin would return to: never; and the ABI's alignment */
    *--words = (uintptr_t)begin;
    for (int i = 0; i < KEPT_REGISTERS; i++)
        *--words = 0;
    c->place = words;
}

static void enter(struct coroutine *c)
{
    coroutine_switch(&home, c->place);
}

static void leave(struct coroutine *c)
{
    coroutine_switch(&c->place, home);
}

#else

static ucontext_t home;

static void lay_out(struct coroutine *c)
{
    CHECK(getcontext(&c->place) == 0);
    c->place.uc_stack.ss_sp = c->stack;
    c->place.uc_stack.ss_size = STACK_BYTES;
    c->place.uc_link = NULL;
    makecontext(&c->place, begin, 0);
}

static void enter(struct coroutine *c)
{
    CHECK(swapcontext(&home, &c->place) == 0);
}

static void leave(struct coroutine *c)
{
    CHECK(swapcontext(&c->place, &home) == 0);
}

#endif

struct coroutine *coroutine_new(void (*main)(void *context), void *context)
{
    struct coroutine *c = MEM_NEW(struct coroutine);

    c->main = main;
    c->context = context;
    c->stack = take_stack();
    lay_out(c);
    return c;
}

void coroutine_free(struct coroutine *c)
{
    if (spare_count < SPARE_MAX)
        spare[spare_count++] = c->stack;
    else
        munmap(c->stack, STACK_BYTES);
    mem_free(c);
}

bool coroutine_enter(struct coroutine *c)
{
    CHECK(running == NULL && !c->ended);
    running = c;
    enter(c);
    running = NULL;
    return !c->ended;
}

void coroutine_leave(void)
{
    CHECK(running != NULL);
    leave(running);
}
