"""Random questions on processes, and answers that come from running the program.

    make.py                              a quiz, by chance
    count, tree, actions, outputs        its questions, a kind each; question.py says what a question is
    counting, growing, acting, racing    random programs for them: pieces.py, in the language of program.py
    listing, in_c, in_python             a program as it is printed
    evidence.py                          what it really does: the only source of an answer key
    as_text, as_gift ...                 what one gets, in the words of wording.py, with trees as in plain.py

Nothing is worked out from the text of a program.
"""
