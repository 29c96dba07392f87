/*
 * Promela model of the flow table (docs/flow-table.md, "Order of stores"): two CPUs that make, find and end flows, the
 * agent (which may be killed and replaced at any step), and WAYS lines that both directions of all tuples hash to,
 * under different home locks. States are fewer than the code's: life.pml has them all, of one flow.
 * One read or write of shared memory is one step.
 *   spin -a table.pml && cc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan -m1000000
 * -DBUG=1..8 leaves one precaution out; each but 8, which needs a third CPU and too many states, must be found.
 */
#ifndef BUG
#define BUG 0
#endif
#ifndef WAYS
#define WAYS 4
#endif
#ifndef REST
#define REST 1
#endif
#define NONE 7
mtype = { FREE, BUSY, DEAD, DEADR, REPLY, HALF, OPEN, CLOSING };
#define fwd(s) (s == HALF || s == OPEN || s == CLOSING)
/* dir 0: a live forward line, 1: a live reply line */
#define alive(s, dir) ((dir == 0 && fwd(s)) || (dir == 1 && s == REPLY))
/* f1, f2: two fields that a reader copies (f1 is also the tuple) */
typedef line { mtype st = FREE; byte gen; byte f1; byte f2; byte peer = NONE };
line L[WAYS];
bool lock[5];            /* of the home bucket: each tuple another one, so that claims of one line meet as those of a second bucket do */
byte ring = NONE;        /* the remembered half-open flow: forward line and its generation */
byte ringg;
bool inside[3]; byte runs[3];   /* which CPU is inside the program, and its how-manyeth run that is: what a grace period waits for */
byte agents;             /* how many agents may still be killed */

/* what a packet reads; res: 0 miss, 1 hit at line w, state st1, generation g1.  A hit must be whole: both copied fields belong to this tuple and one generation */
inline lookup(t, dir) {
	w = 0; res = 0;
	do :: w < WAYS ->
		atomic { st1 = L[w].st; g1 = L[w].gen };
		if :: alive(st1, dir) ->
			x1 = L[w].f1;
			if :: x1 == t ->
				x2 = L[w].f2;
#if BUG != 1
				if :: L[w].gen == g1 -> res = 1; break :: else -> break fi
#else
				res = 1; break
#endif
			:: else fi
		:: else fi; w++
	:: else -> break od;
	if :: res -> assert(x2 == t * 16 + g1) :: else fi;
}
inline insert(t, dir) {   /* res: 0 done (line n), 1 there already, 2 no room, 3 busy */
	res = 3;
#if BUG != 2
	atomic { if :: !lock[t * 2 + dir - 2] -> lock[t * 2 + dir - 2] = true; res = 0 :: else fi };
#else
	res = 0;
#endif
	if :: res == 0 ->
		n = 0;
		do :: n < WAYS && res == 0 ->
			st1 = L[n].st;
			if :: alive(st1, dir) -> x1 = L[n].f1; if :: x1 == t -> res = 1 :: else fi :: else fi; n++
		:: else -> break od;
		if :: res == 0 ->
			n = 0; res = 2;
			do :: n < WAYS && res == 2 ->
				atomic { st1 = L[n].st; g = L[n].gen };
				if :: st1 == FREE ->
#if BUG != 3
					atomic { if :: L[n].st == FREE && L[n].gen == g -> L[n].st = BUSY; res = 0 :: else n++ fi }
#else
					atomic { L[n].st = BUSY; L[n].gen = g }; res = 0
#endif
				:: else -> n++ fi
			:: else -> break od;
			if :: res == 0 ->
#if BUG == 4
				atomic { L[n].st = (dir == 0 -> HALF : REPLY) };
#endif
				L[n].f1 = t; L[n].f2 = t * 16 + g; L[n].peer = (dir == 0 -> rl : NONE);
				if :: dir == 0 -> L[rl].peer = n; atomic { ring = n; ringg = g } :: else fi;
#if BUG != 4
				L[n].st = (dir == 0 -> HALF : REPLY)
#endif
			:: else fi
		:: else fi;
		lock[t * 2 + dir - 2] = false
	:: else fi
}
/* end the flow whose forward line n is still (from, g): both lines are free at once */
inline drop(from) {
	own = false;
	atomic { if :: L[n].st == from && L[n].gen == g -> L[n].st = BUSY; L[n].gen = (g + 1) % 16; own = true :: else fi };
	if :: own ->
		p = L[n].peer;
#if BUG != 8
		e = L[p].gen; atomic { L[p].st = FREE; L[p].gen = (e + 1) % 16 };
		L[n].st = FREE
#else
		L[n].st = FREE;
		e = L[p].gen; atomic { L[p].st = FREE; L[p].gen = (e + 1) % 16 }
#endif
	:: else fi
}
inline change(n1, gg, from, to) { atomic { if :: L[n1].st == from && L[n1].gen == gg -> L[n1].st = to :: else fi } }
proctype cpu(byte c; byte t; byte packets) {
	byte w, e, p, x1, x2, g, g1, n, rl, res; mtype st1; bool own;
	do :: packets > 0 -> packets--; atomic { inside[c] = true; runs[c]++ };
		if
		:: true ->   /* a forward packet */
			lookup(t, 0);
			if :: res && st1 == HALF -> change(w, g1, HALF, OPEN)
			   :: res && st1 == OPEN -> change(w, g1, OPEN, CLOSING)
			   :: res && st1 == CLOSING -> n = w; g = g1; drop(CLOSING)
			   :: res -> skip
			   :: else ->   /* new flow: the remembered one gives way if it is still half-open; reply line first */
				atomic { n = ring; g = ringg };
				if :: n != NONE -> drop(HALF) :: else fi;
				insert(t, 1);
				if :: res == 0 -> rl = n; insert(t, 0);
					if :: res != 0 -> e = L[rl].gen; atomic { L[rl].st = FREE; L[rl].gen = (e + 1) % 16 } :: else fi
				   :: else fi
			fi
		:: true ->   /* a reply: it may open or close the flow, through the line that its own names */
			lookup(t, 1);
			if :: res ->
				p = L[w].peer;
				if :: p != NONE ->
					atomic { st1 = L[p].st; g = L[p].gen };
#if BUG != 7
					if :: L[w].gen == g1 && L[w].st == REPLY -> own = true :: else own = false fi;
#else
					own = true;
#endif
					if :: own && (st1 == HALF || st1 == OPEN) ->
						atomic { if :: L[p].st == st1 && L[p].gen == g -> assert(L[p].f1 == t); L[p].st = (st1 == HALF -> OPEN : CLOSING) :: else fi }
					:: else fi
				:: else fi
			:: else fi
		fi;
		atomic { inside[c] = false; w = 0; e = 0; p = 0; x1 = 0; x2 = 0; g = 0; g1 = 0; n = 0; rl = 0; res = 0; own = false; st1 = FREE }
	:: else -> break od
}
/* The agent: one sweep after another; `agents` times it may vanish at any step and another begins from the memory alone */
#define MORTAL if :: agents > 0 -> agents--; goto reborn :: true fi
inline bury() { p = L[s].peer; if :: L[p].st != DEADR -> L[p].st = DEADR :: else fi }
proctype agent(byte sweeps) {
	byte p, s, g, r0, r1, r2; mtype st; byte mine[WAYS], with[WAYS];
reborn:	s = 0; do :: s < WAYS -> mine[s] = 0; with[s] = NONE; s++ :: else -> break od;
	s = 0;
	do :: s < WAYS ->
		atomic { st = L[s].st; g = L[s].gen };
		if :: st == DEAD ->
#if BUG != 5
			bury(); MORTAL; mine[s] = 1; with[s] = p
#else
			mine[s] = 1; with[s] = NONE
#endif
		   :: st == DEADR -> p = L[s].peer; if :: p != NONE && L[p].st == DEAD && L[p].peer == s -> skip :: else -> mine[s] = 2 fi
		   :: fwd(st) -> atomic { if :: L[s].st == st && L[s].gen == g -> L[s].st = DEAD; r0 = 1 :: else r0 = 0 fi };
			MORTAL;
			if :: r0 -> bury(); MORTAL; mine[s] = 1; with[s] = p :: else fi
		   :: fwd(st) -> skip   /* not idle yet */
		   :: else -> skip fi;
		s++
	:: else -> break od;
#if REST
	atomic { r0 = runs[0]; r1 = runs[1]; r2 = runs[2] }; (!inside[0] || runs[0] != r0); (!inside[1] || runs[1] != r1); (!inside[2] || runs[2] != r2);   /* the grace period */
#endif
	s = 0;
	do :: s < WAYS ->
		if :: mine[s] == 1 ->
#if BUG != 6
			atomic { L[s].gen = (L[s].gen + 1) % 16; L[s].st = FREE }; MORTAL;
			if :: with[s] != NONE -> atomic { L[with[s]].gen = (L[with[s]].gen + 1) % 16; L[with[s]].st = FREE }; MORTAL :: else fi
#else
			atomic { L[with[s]].gen = (L[with[s]].gen + 1) % 16; L[with[s]].st = FREE }; MORTAL;
			atomic { L[s].gen = (L[s].gen + 1) % 16; L[s].st = FREE }; MORTAL
#endif
		   :: mine[s] == 2 -> atomic { L[s].gen = (L[s].gen + 1) % 16; L[s].st = FREE }; MORTAL
		   :: else fi; s++
	:: else -> break od;
	if :: sweeps > 0 -> sweeps--; goto reborn :: else fi
}
/* at rest, after a last whole sweep: nothing leaked, nothing doubled, both lines or none */
proctype judge() {
	byte s, p, q;
	timeout -> d_step {
		s = 0;   /* the last agent's last sweep: what is DEAD goes, with the reply line that is still its own */
		do :: s < WAYS ->
			if :: L[s].st == DEAD -> p = L[s].peer; assert(L[p].st == REPLY || L[p].st == DEADR); assert(L[p].peer == s); L[p].st = FREE; L[s].st = FREE :: else fi; s++
		:: else -> break od;
		s = 0;
		do :: s < WAYS -> if :: L[s].st == DEADR -> L[s].st = FREE :: else fi; s++ :: else -> break od;
		s = 0;
		do :: s < WAYS ->
			assert(L[s].st != BUSY);
			p = L[s].peer;
			if :: fwd(L[s].st) -> assert(p != NONE && L[p].st == REPLY && L[p].peer == s && L[p].f1 == L[s].f1)
			   :: L[s].st == REPLY -> assert(p != NONE && fwd(L[p].st) && L[p].peer == s)
			   :: else fi;
			q = s + 1;
			do :: q < WAYS ->
				assert(!(fwd(L[s].st) && fwd(L[q].st) && L[s].f1 == L[q].f1));
				assert(!(L[s].st == REPLY && L[q].st == REPLY && L[s].f1 == L[q].f1)); q++
			:: else -> break od;
			s++
		:: else -> break od;
		assert(!lock[0] && !lock[1] && !lock[2] && !lock[3])
	}
}
#ifndef T2
#define T2 1
#endif
init { atomic { agents = KILLS;
#ifdef PRE   /* a half-open flow of tuple 1 is there: reply line 0, forward line 1 */
	L[0].st = REPLY; L[0].f1 = 1; L[0].f2 = 16; L[0].peer = 1; L[1].st = HALF; L[1].f1 = 1; L[1].f2 = 16; L[1].peer = 0; ring = 1; ringg = 0;
#endif
 run cpu(0, 1, PACKETS); run cpu(1, T2, PACKETS);
#ifdef T3
	run cpu(2, T3, 1);
#endif
	run agent(SWEEPS); run judge() } }
