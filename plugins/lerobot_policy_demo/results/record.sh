#!/bin/bash
# Demonstrations, in real time, on two folders of $DATA; end it with: touch $DATA/stop
DATA=${DATA:-demo-data}
mkdir -p "$DATA"
record() {  # FOLDER SEED EPISODES OPTIONS…
  local root=$DATA/$1 seed=$2 episodes=$3 resume=""
  shift 3
  while [ ! -e "$DATA/stop" ]; do
    lr record --robot virtual_so100 --teleop scripted --teleop.seed "$seed" --world.seed "$seed" "$@" \
      --dataset.root "$root" $resume --dataset.num-episodes "$episodes" --dataset.episode-time-s 20 \
      --fps 30 --task "put the cube into the bin" --json
    seed=$((seed + 10)) resume=--resume
  done
}
# Each run begins at the park pose, as an attempt does; its other episodes begin over the bin.
record real 10100 3 --dataset.reset-time-s 0 &
# These begin anywhere, the hand open or closed: where a policy that erred finds itself.
record wander 20000 8 --teleop.wander 1 --dataset.reset-time-s 2 &
wait
rm "$DATA/stop"
# The second day.
record real2 30000 4 --teleop.wander 0.3 --dataset.reset-time-s 0 &
record wander2 40000 10 --teleop.wander 1 --dataset.reset-time-s 1 &
wait
lr dataset merge "$DATA/all" "$DATA/real" "$DATA/wander" "$DATA/real2" "$DATA/wander2"
python "$(dirname "$0")/choose_episodes.py" "$DATA/all" > excluded.json
python "$(dirname "$0")/mark_idle.py" "$DATA/all"
