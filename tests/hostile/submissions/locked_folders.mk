# Folders that nobody may enter, with a correct init beside them.
init:
	cc -o init -x c good.txt
	mkdir -p a/b && touch a/b/c && chmod 0 a/b a
