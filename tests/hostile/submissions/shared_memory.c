/* Memory that is shared, so that it is nobody's own. */
#include <sys/mman.h>

#include "behave.h"

int main(void) {
    for (;;)
        memset(mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), 1,
               8 << 20);
}
