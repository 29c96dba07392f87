/*
 * Promela model of a handover (docs/handover.md): two flows, of which one begins at any time, packets of theirs, the
 * links of two interfaces, and the agent, which is killed and started again KILLS times, at any step. One read or write
 * of shared memory is one step. Never may an established flow's packet find its flow nowhere, nor a flow live twice
 * with two owners of its end.
 *   spin -a handover.pml && cc -O2 -DSAFETY -o pan pan.c && ./pan -m100000
 * -DBUG=1..4 leaves one precaution out; each must be found.
 */
#ifndef BUG
#define BUG 0
#endif
#ifndef KILLS
#define KILLS 1
#endif
#define FLOWS 2
mtype = { OLDER, BESIDE, ALONE };
mtype link[2] = OLDER;   /* what each interface runs */
bool there[FLOWS];       /* live in the older maps */
bool here[FLOWS];        /* live in the new ones */
bool begun[FLOWS];       /* it has been made: its packets must be sent */
bool denied;             /* no flow begins in the older maps */
bool gone;               /* the older maps are no set any more */
bool inside[FLOWS]; byte runs[FLOWS];

/* a packet of flow f that comes in by one of the interfaces; the first one makes it */
proctype packets(byte f; byte n) {
	byte i; mtype program; bool found, old;
	do :: n > 0 -> n--;
		if :: i = 0 :: i = 1 fi;
		atomic { inside[f] = true; runs[f]++; program = link[i]; old = begun[f] };
		found = false;
		if :: program != OLDER -> found = here[f] :: else fi;
		if :: !found && program != ALONE -> found = there[f] :: else fi;
		if :: found -> skip
		   :: else ->
			assert(!old);   /* nobody knows it, although it was established when the packet came */
			if :: program == ALONE -> here[f] = true; begun[f] = true
			   :: else -> if :: !denied -> there[f] = true; begun[f] = true :: else fi   /* dropped: it comes again */
			fi
		fi;
		atomic { inside[f] = false }
	   :: else -> break od
}
byte kills = KILLS;
/* every step may be the last one of this agent */
#define step if :: kills > 0 -> kills--; goto dead :: skip fi
inline grace() {
	g = 0;
	do :: g < FLOWS -> r = runs[g]; (!inside[g] || runs[g] != r); g++ :: else -> break od
}
inline take() { f = 0; do :: f < FLOWS -> if :: there[f] -> here[f] = true :: else fi; step; f++ :: else -> break od }
/* only what is here; what began since is left to the next time */
inline let_go() { f = 0; do :: f < FLOWS -> if :: there[f] && here[f] && took[f] -> there[f] = false :: else fi; step; f++ :: else -> break od }
inline mark() { f = 0; do :: f < FLOWS -> took[f] = here[f]; f++ :: else -> break od }
proctype agent() {
	byte f, g, r; bool took[FLOWS];
begin:	if :: gone -> goto done :: else fi;
	link[0] = BESIDE; step; link[1] = BESIDE; step;
	take(); mark();
#if BUG != 1
	grace(); step;
#endif
	let_go();
#if BUG != 2
	denied = true; step;
#endif
#if BUG != 3
	grace(); step;
#endif
#if BUG != 4
	take(); mark();
#endif
	grace(); step;
	let_go();
	link[0] = ALONE; step; link[1] = ALONE; step;
	grace(); step;
	gone = true;
	goto done;
dead:	skip; goto begin;
done:	skip
}
init { atomic { begun[0] = true; there[0] = true; run agent(); run packets(0, 2); run packets(1, 2) } }
