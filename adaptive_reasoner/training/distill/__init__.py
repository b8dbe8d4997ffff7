"""Distillation with adaptive thinking: datasets of worked answers, and students that choose the order (extra `train`).

After Chen et al., arXiv 2404.09170: a student learns to think first, log p(r|x) + log p(y|x,r), and to answer first,
log p(y|x) + log p(r|x,y); a perception module reads the question and chooses the order.
"""
