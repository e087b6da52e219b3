"""Small safety checkers that tell pictures apart, for the scripts beside several tests."""

import torch
from diffusers.pipelines.stable_diffusion.safety_checker import (
    StableDiffusionSafetyChecker,
    cosine_distance,
)
from transformers import CLIPConfig


def random_checker(**vision):
    """A checker with random weights and a vision model of that shape."""
    torch.manual_seed(0)
    shape = dict(
        hidden_size=32, intermediate_size=37, num_hidden_layers=5, num_attention_heads=4, **vision
    )
    text = dict(hidden_size=8, num_attention_heads=2, num_hidden_layers=1)
    config = CLIPConfig(vision_config=shape, text_config=text, projection_dim=24)
    model = StableDiffusionSafetyChecker(config).eval()
    with torch.no_grad():
        # As they are initialised, models this small hardly tell pictures apart.
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
        model.concept_embeds.normal_()
        model.special_care_embeds.normal_()
    return model


@torch.no_grad()
def set_thresholds(model, pixels):
    """Sets thresholds that about a third of the pictures exceed, and one more only because a
    special concept makes the checker stricter. Returns that one's place.
    """
    embeddings = model.visual_projection(model.vision_model(pixels).pooler_output)
    concepts = cosine_distance(embeddings, model.concept_embeds)
    special = cosine_distance(embeddings, model.special_care_embeds)
    model.concept_embeds_weights.copy_(concepts.amax(0) + 0.05)
    model.special_care_embeds_weights.copy_(special.amax(0) + 0.05)

    highest = special[:, 1].topk(2)
    helped = int(highest.indices[0])
    model.special_care_embeds_weights[1] = highest.values.mean()

    others = torch.cat([concepts[:helped], concepts[helped + 1 :]])
    nearest = int((concepts[helped] - others.amax(0)).argmax())
    model.concept_embeds_weights[nearest] = concepts[helped, nearest] + 0.005
    furthest = int((concepts[helped] - others.quantile(0.7, 0)).argmin())
    model.concept_embeds_weights[furthest] = others[:, furthest].quantile(0.7)
    return helped
