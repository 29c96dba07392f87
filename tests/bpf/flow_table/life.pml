/*
 * Promela model of a flow's life (docs/flow-table.md, "States" and "Order of stores"): one flow at a time in one pair
 * of lines, packets of its client and of its member on a CPU each, the ring of half-open flows, and the agent, which
 * ends it, may be killed at any step and is followed by another. One read or write of shared memory is one step.
 *   spin -a life.pml && cc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan -m200000
 * -DBUG=1..5 leaves one precaution out; each must be found. -DGRACE=0 does without the grace period, which only makes
 * bytes exact: nothing may be found.
 */
#ifndef BUG
#define BUG 0
#endif
#ifndef CLIENT
#define CLIENT 3	/* packets */
#endif
#ifndef MEMBER
#define MEMBER 3
#endif
#ifndef KILLS
#define KILLS 0
#endif
#ifndef GRACE
#define GRACE 1
#endif
#define TRIES 3		/* FLOW_CHANGE_TRIES */
#define LOOKS 3		/* FLOW_MARK_TRIES */
mtype = { FREE, BUSY, DEAD, HALF, OPEN, CLIENT_CLOSES, MEMBER_CLOSES, CLOSED, RESET };	/* forward line */
mtype = { DEAD_REPLY, REPLY, SEEN, REPLY_RESET };					/* reply line */
mtype = { SYN, DATA, FIN, RST };
#define is_forward(s) (s == HALF || s == OPEN || s == CLIENT_CLOSES || s == MEMBER_CLOSES || s == CLOSED || s == RESET)
#define is_reply(s) (s == REPLY || s == SEEN || s == REPLY_RESET)
#define is_over(s) (s == CLOSED || s == RESET)
#define is_counted(s) (s == OPEN || s == CLIENT_CLOSES || s == MEMBER_CLOSES)

mtype f = FREE; byte fg;	/* the forward line's state and generation: one word */
mtype r = FREE; byte rg;	/* the reply line's */
mtype died;			/* where a dead line keeps the state it died in */
byte ring; bool in_ring;	/* the generation that the ring's entry names */
byte flows;			/* connections of the service: at least as many as there are */
/* what only the judge looks at */
bool was_open;			/* this flow, so far */
byte life;			/* which flow of these lines it is */
bool inside[2]; byte runs[2];
bool lock;			/* of the bucket */
byte kills = KILLS;

/* ends the flow that is still (from, g); done: it was ours to end */
inline end_flow(from, g) {
	atomic { done = (f == from && fg == g); if :: done -> f = BUSY; fg = (g + 1) % 16 :: else fi };
	if :: done ->
		if :: is_counted(from) -> flows-- :: else fi;
		atomic { r = FREE; rg = (rg + 1) % 16 };
		f = FREE
	   :: else fi
}
/* the client's SYN: who holds the bucket's lock makes the reply line, then the forward line */
inline make_flow() {
	atomic { done = !lock && f == FREE && r == FREE; lock = lock || done };
	if :: done ->
		atomic { r = REPLY; was_open = false; life = (life + 1) % 16 };
		atomic { ring = fg; in_ring = true };
		f = HALF; lock = false
	   :: else fi
}
/* flow_next_state(): from s by a packet of kind k, of the member or not, of a flow that was answered or not */
inline next_state(s, k, member, answered) {
	d_step {
		to = s;
		if :: k == RST -> to = RESET
		   :: (s == HALF || s == RESET) && k != RST ->
			if :: !answered || k == SYN
			   :: else ->
				if :: k == DATA -> if :: member && s == HALF :: else -> to = OPEN fi
				   :: k == FIN && s == HALF -> to = (member -> MEMBER_CLOSES : CLIENT_CLOSES)
				   :: else fi
			fi
		   :: k == FIN && s == CLIENT_CLOSES && member -> to = CLOSED
		   :: k == FIN && s == MEMBER_CLOSES && !member -> to = CLOSED
		   :: k == FIN && s == OPEN -> to = (member -> MEMBER_CLOSES : CLIENT_CLOSES)
		   :: else fi
	}
}
/* flow_mark_reset(): the reply line is told whether the flow is reset */
inline mark_reset(from) {
#if BUG == 1
	if :: (from == RESET) != (to == RESET) ->
		atomic { rs = r; rgen = rg };
		if :: fg == g ->
			if :: to == RESET && rs == SEEN -> atomic { if :: r == rs && rg == rgen -> r = REPLY_RESET :: else fi }
			   :: to != RESET && rs == REPLY_RESET -> atomic { if :: r == rs && rg == rgen -> r = SEEN :: else fi }
			   :: else fi
		   :: else fi
	   :: else fi
#else
	if :: (from == RESET) != (to == RESET) ->
		looks = 0;
		do :: looks < LOOKS ->
			looks++;
			atomic { rs = r; rgen = rg };
			atomic { now = f; done = (fg == g) };
			if :: !done || !is_forward(now) -> break
			   :: else fi;
			if :: now == RESET && rs == SEEN -> atomic { if :: r == rs && rg == rgen -> r = REPLY_RESET :: else fi }
			   :: now != RESET && rs == REPLY_RESET -> atomic { if :: r == rs && rg == rgen -> r = SEEN :: else fi }
			   :: else -> break
			fi
		   :: else -> break
		od
	   :: else fi
#endif
}
/* flow_change(), by a packet that was found by the forward line (of generation g) or by the reply line (of rgen) */
inline change(k, member) {
	tries = 0; over = false;
	do :: tries < TRIES && !over ->
		tries++;
		atomic { s = f; g2 = fg };
		if :: member ->
#if BUG != 2
			over = !(is_reply(r) && rg == rgen);
#endif
			if :: !over -> g = g2 :: else fi
		   :: else -> over = (g2 != g)
		fi;
		if :: !over && is_forward(s) ->
			rs = r;
			next_state(s, k, member, (rs == SEEN || rs == REPLY_RESET));
			if :: to == s -> over = true
			   :: else ->
#if BUG != 3
				if :: is_counted(to) && !is_counted(s) -> flows++ :: else fi;
#endif
				atomic {
#if BUG != 5
					done = (f == s && fg == g);
#else
					done = (f == s);
#endif
					if :: done -> f = to; was_open = was_open || to == OPEN; assert(life == mine) :: else fi };
				if :: done ->
					over = true;
#if BUG == 3
					if :: is_counted(to) && !is_counted(s) -> flows++ :: else fi;
#endif
					if :: is_counted(s) && !is_counted(to) -> flows-- :: else fi;
					mark_reset(s);
					if :: to != RESET -> atomic { if :: in_ring && ring == g -> in_ring = false :: else fi } :: else fi
				   :: else ->
#if BUG != 3
					if :: is_counted(to) && !is_counted(s) -> flows-- :: else fi
#endif
				fi
			fi
		   :: else -> over = true
		fi
	   :: else -> break
	od
}
proctype client(byte packets) {
	byte g, g2, rgen, mine, tries, looks; mtype k, s, to, rs, now; bool done, over;
	do :: packets > 0 -> packets--;
		if :: k = SYN :: k = DATA :: k = FIN :: k = RST fi;
		atomic { inside[0] = true; runs[0]++; s = f; g = fg; mine = life };
		if :: is_forward(s) && k == SYN && is_over(s) -> end_flow(s, g); if :: done -> make_flow() :: else fi
		   :: is_forward(s) && (k == FIN || k == RST || s == HALF || s == RESET) -> change(k, false)
		   :: !is_forward(s) && k == SYN -> make_flow()
		   :: else fi;
		atomic { inside[0] = false; g = 0; g2 = 0; rgen = 0; mine = 0; tries = 0; looks = 0; s = FREE; to = FREE; rs = FREE; now = FREE; k = SYN; done = false; over = false }
	   :: else -> break od
}
proctype member(byte packets) {
	byte g, g2, rgen, mine, tries, looks; mtype k, s, to, rs, now; bool done, over;
	do :: packets > 0 -> packets--;
		if :: k = SYN :: k = DATA :: k = FIN :: k = RST fi;
		atomic { inside[1] = true; runs[1]++; s = r; rgen = rg; mine = life };
		if :: s == REPLY && k == SYN -> atomic { if :: r == s && rg == rgen -> r = SEEN :: else fi }; change(k, true)
		   :: is_reply(s) && (k == FIN || k == RST || s == REPLY_RESET) -> change(k, true)
		   :: else fi;
		atomic { inside[1] = false; g = 0; g2 = 0; rgen = 0; mine = 0; tries = 0; looks = 0; s = FREE; to = FREE; rs = FREE; now = FREE; k = SYN; done = false; over = false }
	   :: else -> break od
}
/* another flow takes this one's place in the ring, at any time */
proctype newcomer() {
	mtype s; byte g, e; bool done;
	if :: in_ring -> e = ring;
		atomic { s = f; g = fg };
#if BUG != 4
		if :: (s == HALF || s == RESET) && g == e ->
#else
		if :: is_forward(s) && g == e ->
#endif
			end_flow(s, g);
			assert(!done || s == RESET || !is_counted(s))
		   :: else fi
	   :: true fi
}
#define step if :: kills > 0 -> kills--; goto killed :: skip fi
proctype agent(byte sweeps) {
	mtype s; byte g, r0, r1; bool done;
killed:	do :: sweeps > 0 -> sweeps--;
		done = false;
		atomic { s = f; g = fg };
		if :: s == DEAD -> done = true
		   :: is_forward(s) -> atomic { done = (f == s && fg == g); if :: done -> died = s; f = DEAD :: else fi }; step
		   :: true fi;	/* not idle yet */
		if :: done ->
			if :: r != DEAD_REPLY -> r = DEAD_REPLY :: else fi; step;
#if GRACE
			atomic { r0 = runs[0]; r1 = runs[1] };
			(!inside[0] || runs[0] != r0); (!inside[1] || runs[1] != r1);
#endif
			s = died;
			atomic { f = FREE; fg = (fg + 1) % 16 }; step;
			atomic { r = FREE; rg = (rg + 1) % 16 }; step;
			if :: is_counted(s) -> flows-- :: else fi
		   :: r == DEAD_REPLY && s != DEAD -> atomic { r = FREE; rg = (rg + 1) % 16 }	/* left alone by a dead agent */
		   :: else fi
	   :: else -> break od
}
/* at no time are there more connections than are counted */
proctype watch() { end: atomic { (flows < (is_counted(f) -> 1 : 0) || flows > 4) -> assert(false) } }
/* at rest: both lines or none, exact counts, and the reply line knows whether the flow is reset */
proctype judge() {
	timeout -> d_step {
		assert(f != BUSY);
		if :: is_forward(f) -> assert(is_reply(r)) :: f == FREE -> assert(!is_reply(r)) :: else fi;
		if :: KILLS == 0 && f != DEAD -> assert(flows == (is_counted(f) -> 1 : 0)) :: else fi;
		if :: is_forward(f) && r == REPLY_RESET -> assert(f == RESET) :: else fi;
		if :: f == RESET && was_open -> assert(r == REPLY_RESET) :: else fi
	}
}
init { atomic { run client(CLIENT); run member(MEMBER); run newcomer(); run agent(1 + KILLS); run watch(); run judge() } }
