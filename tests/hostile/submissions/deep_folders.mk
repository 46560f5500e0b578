# Folders in folders, deeper than most programs can go.
init:
	cc -o init -x c good.txt
	for i in `seq 1200`; do mkdir d && cd d || exit; done
