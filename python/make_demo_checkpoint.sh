#!/usr/bin/env bash
# Trains the checkpoint in python/demo_checkpoint from nothing, with this package alone:
#
#     python/make_demo_checkpoint.sh [folder for the work, default demo-training]
#
# Needs `swift build -c release --product gpi-diffusion`, and a Python with torch, Pillow, diffusers and
# transformers, which only draws pictures and names the untrained parameters. When it is killed, start it
# again: training goes on from the last checkpoint, and ends in the same bytes.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
work=${1:-$here/../demo-training}
python=${PYTHON:-python3}
train="$here/../.build/release/gpi-diffusion train"
mkdir -p "$work"
# More threads round differently: each number of them gives a model of its own.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

# For the autoencoder: shapes anywhere, and "dead leaves", because it shall manage photographs too.
"$python" "$here/draw_shapes.py" "$work/pictures/shapes" --count 4000
"$python" "$here/draw_shapes.py" "$work/pictures/leaves" --count 3000 --kind leaves
# For the UNet and the text encoder: four shapes near the middle, which half an hour is enough for.
"$python" "$here/draw_shapes.py" "$work/captioned" --count 3000 --scatter 0.3 \
    --shapes circle,square,triangle,star
"$python" "$here/untrained_checkpoint.py" "$work/untrained"

$train autoencoder "$work/pictures" --model "$work/untrained" --output "$work/autoencoder" \
    --size 64 --flips --steps 8000 --batch-size 4 --learning-rate 1.5e-3 --warmup-steps 100 \
    --beta2 0.99 --weight-decay 1e-4 --average-decay 0.998 --seed 1 \
    --squared-weight 1 --scale-weight 0.1 --saved-dtype float16

$train text-to-image "$work/captioned" --model "$work/autoencoder/model" \
    --output "$work/text-to-image" --text-encoder \
    --size 64 --steps 8000 --batch-size 16 --learning-rate 1.2e-3 --warmup-steps 100 \
    --beta2 0.99 --weight-decay 1e-4 --average-decay 0.998 --seed 2 --guidance-scale 4 \
    --saved-dtype float16

cp -r "$work/text-to-image/model/." "$here/demo_checkpoint"
