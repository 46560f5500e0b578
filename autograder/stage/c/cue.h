/* The call by which actors get their orders where a play is in virtual time. As in
 * forklab/lens/calls/cueing.py, where it is answered. */
#ifndef CUE_H
#define CUE_H

enum {
    CUE = 400,
    CUE_LISTEN = 0,
    CUE_TELL = 1,
    CUE_BEGIN = 2,
    CUE_ANSWER = 3,
};

#endif
