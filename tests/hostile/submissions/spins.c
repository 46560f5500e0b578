/* Never makes a call, so that time stands still for whoever waits for its next one. */
int main(void) {
    for (;;) {
    }
}
