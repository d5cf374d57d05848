"""Steers a moto server that checks signatures.

store.py lock ENDPOINT BUCKET   makes a user and a bucket; prints the access key and the secret, one
                                a line. These five calls are the only ones that need no signature:
                                the server runs with INITIAL_NO_AUTH_ACTION_COUNT=5.
store.py open ENDPOINT BUCKET   lets players read without a signature, which moto cannot do while it
                                checks them.
"""
import json
import sys
import urllib.request

import boto3

what, endpoint, bucket = sys.argv[1:]


def lock():
    options = dict(endpoint_url=endpoint, region_name="us-east-1",
                   aws_access_key_id="setup", aws_secret_access_key="setup")
    iam = boto3.client("iam", **options)
    iam.create_user(UserName="camera")
    iam.put_user_policy(UserName="camera", PolicyName="write",
                        PolicyDocument=allow(Action="s3:*", Resource="*"))
    key = iam.create_access_key(UserName="camera")["AccessKey"]
    s3 = boto3.client("s3", **options)
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=allow(
        Principal="*", Action="s3:GetObject", Resource=f"arn:aws:s3:::{bucket}/*"))
    print(key["AccessKeyId"])
    print(key["SecretAccessKey"])


def allow(**statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def open_for_players():
    # As a form, which is urllib's default, moto would not see the number.
    urllib.request.urlopen(urllib.request.Request(
        f"{endpoint}/moto-api/reset-auth", data=b"inf", headers={"Content-Type": "text/plain"}))


{"lock": lock, "open": open_for_players}[what]()
