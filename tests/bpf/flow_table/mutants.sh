#!/bin/bash
# mutants.sh SOURCES WORK: every precaution of the flow table, left out one at a time, must make a
# test fail: the stress test (`bare` or `tight`), or the unit tests (`unit`). As root.
set -u
sources=$(realpath "$1")
work=$(realpath -m "$2")
seconds=${MUTANT_SECONDS:-15}
missed=0

build() { # TREE: the objects and both tests of this tree, as TREE/stress and TREE/unit
  local tree=$1 tests=tests/bpf/flow_table name
  for name in flow_stress flow_ops long_run; do
    clang-14 -target bpf -mcpu=v3 -O2 -g -I"$tree" -isystem "/usr/include/$(uname -m)-linux-gnu" \
      -c "$tree/$tests/$name.bpf.c" -o "$tree/$name.o" || return 1
  done
  local agent=("$tree"/agent/datapath/{flow_check,flow_memory,flow_policy,flow_table,flow_walk,grace}.cc)
  local common=("${agent[@]}" "$tree"/base/{ip,number}.cc "$tree/$tests/flow_object.cc")
  if [ "$2" = unit ]; then
    c++ -std=c++20 -O1 -I"$tree" -DFLOW_OPS_OBJECT="\"$tree/flow_ops.o\"" \
      -DLONG_RUN_OBJECT="\"$tree/long_run.o\"" "${common[@]}" \
      "$tree/$tests"/{flow_fixture,flow_follow_test,flow_ops_test,flow_sweep_test}.cc \
      -lbpf -lgtest -lgtest_main -lpthread -o "$tree/unit"
  else
    c++ -std=c++20 -O1 -I"$tree" "${common[@]}" "$tree/$tests/flow_stress.cc" \
      -lbpf -lpthread -o "$tree/stress"
  fi
}

run() { # TREE TEST
  if [ "$2" = unit ]; then
    timeout 60 "$1/unit" >"$1/log" 2>&1
  else
    FLOW_STRESS_SECONDS=$seconds timeout $((seconds + 60)) "$1/stress" "$1/flow_stress.o" "$2" \
      >"$1/log" 2>&1
  fi
}

mutant() { # NAME TEST FILE OLD NEW
  local name=$1 test=$2 tree=$work/$1
  [[ $name =~ ${MUTANTS:-.} ]] || return 0
  rm -rf "$tree"
  mkdir -p "$tree/agent" "$tree/tests/bpf"
  cp -r "$sources"/{base,bpf} "$tree"
  cp -r "$sources/agent/datapath" "$tree/agent"
  cp -r "$sources/tests/bpf/flow_table" "$tree/tests/bpf"
  if [ "$name" != none ] && ! OLD=$4 NEW=$5 python3 - "$tree/$3" <<'PY'
import os, sys
path, old, new = sys.argv[1], os.environ['OLD'], os.environ['NEW']
text = open(path).read()
if old not in text:
    sys.exit('no such text in ' + path)
open(path, 'w').write(text.replace(old, new))
PY
  then
    echo "$name: CANNOT BE MADE"
    missed=1
    return
  fi
  if ! build "$tree" "$test" >"$tree/log" 2>&1; then
    echo "$name: DOES NOT BUILD ($tree/log)"
    missed=1
  elif [ "$name" = none ]; then
    if run "$tree" "$test"; then
      echo "none ($test): passes"
    else
      echo "none ($test): FAILS"
      missed=1
    fi
  elif run "$tree" "$test"; then
    echo "$name ($test): NOT FOUND"
    missed=1
  else
    echo "$name ($test): found"
  fi
}

for test in unit tight; do mutant none $test; done
mutant no_second_look tight bpf/flow_find.h \
  'return lb_word_same_generation(LB_READ(hit->line->word), hit->word);' 'return 1;'
mutant no_lock bare bpf/flow_change.h \
  'held = flow_lock(bucket);' 'held = LB_READ(bucket->lock) | LB_BUCKET_HELD;'
mutant no_claim bare bpf/flow_change.h \
  '__sync_val_compare_and_swap(&line->word, word, ours) ==
			    word)' '(LB_WRITE(line->word, ours), 1))'
mutant live_before_whole tight bpf/flow_change.h \
  '	__u32 state = lb_word_state(made->word);' '	__u32 state = lb_word_state(made->word);
	LB_WRITE(line->word, lb_word_with_state(word, made->peer == LB_FLOW_NONE ? LB_FLOW_REPLY : LB_FLOW_HALF_OPEN));'
mutant no_tuple_compare bare bpf/flow_find.h \
  ' || !flow_same_words(&line->tuple, tuple, 2)' ''
mutant no_address_compare bare bpf/flow_find.h \
  '	if (family == LB_IPV6 &&
	    !flow_same_words' '	if (0 && !flow_same_words'
mutant no_generation tight bpf/flow_layout.h \
  'return ((word >> 32) + 1) << 32;' 'return (word >> 32) << 32;'
mutant reply_line_kept bare bpf/flow_change.h \
  'flow_publish(&reply->word, lb_word_next(LB_READ(reply->word)));' ''
mutant not_counted_out bare bpf/flow_change.h \
  'flow_use(service, reply->owner, lb_state_uses(state), -1);' ''
mutant closed_counts unit bpf/flow_state.h \
  '	flow_use(service, backend, before & ~after, -1);' ''
mutant lost_step_counts bare bpf/flow_state.h \
  '		flow_use(service, backend, after & ~before, -1);
		return FLOW_LOST;' '		return FLOW_LOST;'
mutant number_not_asked unit bpf/flow_follow.h \
  'if (!flow_fits(&hit, what, seq, ack, family))' 'if (!flow_fits(&hit, what, seq, ack, family) && 0)'
mutant reset_not_marked unit bpf/flow_state.h \
  '	flow_mark_reset(forward, word, to, family);' ''
mutant refusal_is_passed_on unit bpf/flow_follow.h \
  'else if (unmarked && (flags & FLOW_RST) && flow_swallow(&hit))' 'else if (0)'
mutant limit_is_each_services unit bpf/flow_use.h \
  'id = LB_READ(limit->next);' 'id = 0;'
mutant forward_generation_not_asked unit bpf/flow_state.h \
  'lb_word_same_generation(*word, hit->word) ? hit->line' '1 ? hit->line'
mutant reply_not_asked_again unit bpf/flow_state.h \
  'lb_word_same_generation(reply, hit->word)' '1'
mutant spill_not_marked unit bpf/flow_change.h \
  'held |= LB_BUCKET_SPILLED;' ';'
mutant ring_ends_nothing unit bpf/flow_change.h \
  'flow_end_line((__u32)entry, word, family)' '0'
mutant ring_is_not_left unit bpf/flow_state.h \
  'flow_leave_ring(index, word, family);' ';'
mutant dead_not_buried unit agent/datapath/flow_table.cc \
  '    bury(lines, index);
    reached(Point::found_dead);' '    reached(Point::found_dead);'
mutant reply_line_first unit agent/datapath/flow_table.cc \
  '  free(forward);
  reached(Point::forward_freed);
  free(reply);' '  free(reply);
  reached(Point::forward_freed);
  free(forward);'
mutant lone_reply_forgotten unit agent/datapath/flow_table.cc \
  '    ended_.push_back({&lines, kAlone, index});' '    return;'
mutant kill_without_cas unit agent/datapath/flow_table.cc \
  '           .compare_exchange_strong(expected, lb_word_dead(word)))' \
  '           .exchange(lb_word_dead(expected)))'
exit $missed
