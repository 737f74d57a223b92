"""PEFT around transformers' gpt-oss: writes random adapters, and says what their logits are."""

import warnings

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import GptOssForCausalLM, Mxfp4Config
from transformers.utils import logging


class Oracle:
    """The model of a checkpoint folder in float32, with an adapter or without."""

    def __init__(self, folder):
        logging.disable_progress_bar()
        logging.set_verbosity_error()
        self.model = GptOssForCausalLM.from_pretrained(
            folder,
            dtype=torch.float32,
            attn_implementation="eager",
            quantization_config=Mxfp4Config(dequantize=True),
        )

    def write(self, folder, *, seed=0, size=1.0, **settings):
        """An adapter of `LoraConfig(**settings)` with random A and B, times `size`; its folder."""
        torch.manual_seed(seed)
        config = LoraConfig(init_lora_weights=False, **settings)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PEFT warns that it saves lm_head, too
            adapted = get_peft_model(self.model, config)
            with torch.no_grad():
                for name, parameter in adapted.named_parameters():
                    if "lora_B" in name:
                        parameter.mul_(size)
            adapted.save_pretrained(folder)
            self.model = adapted.unload()
        return folder

    def logits(self, folder, token_ids):
        """Float32 [batch, tokens, vocab]."""
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            adapted = PeftModel.from_pretrained(self.model, folder)
            logits = adapted(token_ids).logits.float()
            self.model = adapted.unload()
        return logits
